/* outbox_test.c - nothing leaves before what it speaks of is durable. */
#include <criterion/criterion.h>

#include "node/outbox.h"

static void push(cs_outbox_t *outbox, cs_peer_t peer, bool exposes, uint8_t byte)
{
    cs_buf_t bytes = {0};
    cs_buf_put_u8(&bytes, byte);
    cs_outbox_push(outbox, peer, exposes, &bytes);
    cr_assert_null(bytes.data, "the queue owns the bytes");
}

/* The next message that may leave, 0 if none may. */
static uint8_t pop(cs_outbox_t *outbox, uint64_t durable)
{
    cs_peer_t peer;
    cs_buf_t bytes = {0};
    if (!cs_outbox_pop(outbox, durable, &peer, &bytes)) return 0;
    uint8_t byte = bytes.data[0];
    cs_buf_fini(&bytes);
    return byte;
}

Test(outbox, unstaged_messages_never_leave)
{
    cs_outbox_t outbox = {0};
    push(&outbox, 1, true, 'a');
    cr_assert_eq(pop(&outbox, UINT64_MAX - 1), 0);
    cs_outbox_fini(&outbox);
}

Test(outbox, staged_messages_leave_in_order_once_durable)
{
    cs_outbox_t outbox = {0};
    push(&outbox, 1, true, 'a');
    push(&outbox, 2, true, 'b');
    cs_outbox_stage(&outbox, 7);
    push(&outbox, 1, true, 'c');
    cr_assert_eq(pop(&outbox, 6), 0);
    cr_assert_eq(pop(&outbox, 7), 'a');
    cr_assert_eq(pop(&outbox, 7), 'b');
    cr_assert_eq(pop(&outbox, 7), 0, "c was queued after the stage");
    cs_outbox_stage(&outbox, 8);
    cr_assert_eq(pop(&outbox, 8), 'c');
    cs_outbox_fini(&outbox);
}

Test(outbox, only_unstaged_messages_ask_for_exposure)
{
    cs_outbox_t outbox = {0};
    push(&outbox, 1, true, 'a');
    cr_assert(cs_outbox_wants_exposure(&outbox));
    cs_outbox_stage(&outbox, 1);
    cr_assert_not(cs_outbox_wants_exposure(&outbox));
    push(&outbox, 1, false, 'h'); /* a HELLO */
    cr_assert_not(cs_outbox_wants_exposure(&outbox));
    cs_outbox_fini(&outbox);
}

Test(outbox, a_forgotten_peer_loses_its_messages_only)
{
    cs_outbox_t outbox = {0};
    for (uint8_t i = 0; i < 6; i++)
        push(&outbox, i % 2 + 1, true, (uint8_t)('a' + i));
    cs_outbox_forget(&outbox, 1);
    cs_outbox_stage(&outbox, 1);
    cr_assert_eq(pop(&outbox, 1), 'b');
    cr_assert_eq(pop(&outbox, 1), 'd');
    cr_assert_eq(pop(&outbox, 1), 'f');
    cr_assert_eq(pop(&outbox, 1), 0);
    cs_outbox_fini(&outbox);
}

Test(outbox, a_long_queue_keeps_its_order)
{
    cs_outbox_t outbox = {0};
    uint8_t next_in = 1;
    uint8_t next_out = 1;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 3; i++, next_in = (uint8_t)(next_in % 250 + 1))
            push(&outbox, 1, true, next_in);
        cs_outbox_stage(&outbox, 1);
        int out = round < 100 ? 2 : 4; /* grows, then drains */
        for (int i = 0; i < out && outbox.first < outbox.len; i++) {
            cr_assert_eq(pop(&outbox, 1), next_out);
            next_out = (uint8_t)(next_out % 250 + 1);
        }
    }
    cs_outbox_fini(&outbox);
}
