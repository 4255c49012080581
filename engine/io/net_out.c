/* net_out.c - payloads on their way out: handed to libzmq without a copy, and counted when it
 * has let go of them, which is once they are encrypted for the socket.
 *
 * It does so in its own thread, at any time until the context has ended. */
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/net_impl.h"

struct cs__out {
    atomic_uint refs;         /* the link's, and one for each payload */
    atomic_uint_fast64_t let; /* bytes that were let go of and not yet told */
    cs__outs_t *all;          /* outlives the context, and so every payload */
};

typedef struct parcel {
    cs__out_t *out;
    cs_buf_t bytes;
} parcel_t;

cs__out_t *cs__out_new(cs__outs_t *all)
{
    cs__out_t *out = cs_calloc(1, sizeof *out);
    atomic_init(&out->refs, 1);
    atomic_init(&out->let, 0);
    out->all = all;
    return out;
}

void cs__out_unref(cs__out_t **out_p)
{
    cs__out_t *out = *out_p;
    *out_p = NULL;
    if (out != NULL && atomic_fetch_sub(&out->refs, 1) == 1) cs_free(out);
}

static void let_go(void *data, void *hint)
{
    parcel_t *parcel = hint;
    cs__out_t *out = parcel->out;
    cs__outs_t *all = out->all;
    (void)data;
    atomic_fetch_add(&out->let, parcel->bytes.len);
    cs_buf_fini(&parcel->bytes);
    cs_free(parcel);
    cs__out_unref(&out);
    const uint64_t one = 1;
    if (!atomic_exchange(&all->told, true)) (void)!write(all->fd, &one, sizeof one);
}

int cs__out_send(void *socket, cs__out_t *out, cs_buf_t *payload_p)
{
    zmq_msg_t msg;
    parcel_t *parcel = cs_calloc(1, sizeof *parcel);
    parcel->out = out;
    parcel->bytes = *payload_p;
    *payload_p = (cs_buf_t){0};
    atomic_fetch_add(&out->refs, 1);
    int rc = zmq_msg_init_data(&msg, parcel->bytes.data, parcel->bytes.len, let_go, parcel);
    CS_ASSERT(rc == 0); /* as cs_malloc */
    rc = zmq_msg_send(&msg, socket, ZMQ_DONTWAIT);
    if (rc < 0) zmq_msg_close(&msg);
    return rc < 0 ? -1 : 0;
}

/* --- what was let go of, told in the reactor */

static int on_let(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    cs_net_t *net = arg;
    uint64_t count;
    if (read(item->fd, &count, sizeof count) != (ssize_t)sizeof count) return 0;
    atomic_store(&net->outs.told, false); /* what is let go of from here on tells again */
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        uint64_t bytes = atomic_exchange(&link->out->let, 0);
        if (bytes == 0 || !link->known || net->handler.gone == NULL) continue;
        net->handler.gone(net->handler.arg, link->id, bytes);
    }
    return 0;
}

cs_err_t cs__outs_open(cs_net_t *net)
{
    atomic_init(&net->outs.told, false);
    net->outs.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (net->outs.fd < 0) return CS_ERR_IO;
    zmq_pollitem_t item = {.fd = net->outs.fd, .events = ZMQ_POLLIN};
    if (zloop_poller(net->loop, &item, on_let, net) != 0) return CS_ERR_IO;
    zloop_poller_set_tolerant(net->loop, &item);
    return CS_OK;
}

void cs__outs_unwatch(cs_net_t *net)
{
    zmq_pollitem_t item = {.fd = net->outs.fd};
    if (net->outs.fd >= 0) zloop_poller_end(net->loop, &item);
}

void cs__outs_close(cs_net_t *net)
{
    if (net->outs.fd >= 0) close(net->outs.fd);
}
