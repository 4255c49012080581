/* exit_codes.h - how a command ends (cli.md): stable, scripts rely on them. */
#ifndef CS_IO_EXIT_CODES_H
#define CS_IO_EXIT_CODES_H

#define CS_EXIT_DONE    0
#define CS_EXIT_FAILED  1
#define CS_EXIT_USAGE   2 /* wrong usage */
#define CS_EXIT_NO_NODE 3 /* no node is running, and this needs one */
#define CS_EXIT_TIMEOUT 4
#define CS_EXIT_REFUSED 5 /* by the other side, or by a safety brake */

#endif
