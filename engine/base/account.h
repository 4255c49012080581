/* account.h - whose memory a block is: for the simulator, where many nodes share a process and
 * what each of them holds is bounded (limits.h).
 *
 * Once counting is on, a block carries the account that it was asked for by, and how large it
 * is; whoever frees it, it leaves that account. Off, as in the product, it costs a branch.
 * One thread. */
#ifndef CS_BASE_ACCOUNT_H
#define CS_BASE_ACCOUNT_H

#include "base/base.h"

CS_HEADER_BEGIN

/* More than `scale` has nodes: 32 KiB, which nobody else touches. */
#define CS_ACCOUNTS_MAX 4096u
#define CS_ACCOUNT_NONE 0u /* is not counted */

/* From now on. Call it before the first block of the process is asked for; again is fine. */
void cs_account_begin(void);
bool cs_account_is_on(void);
/* Whose the blocks are that are asked for from now on; returns whose they were. */
unsigned cs_account_use(unsigned account);
/* The block is `account`'s from now on. NULL is fine. */
void cs_account_give(void *memory, unsigned account);
size_t cs_account_held(unsigned account); /* bytes */

CS_HEADER_END

#endif
