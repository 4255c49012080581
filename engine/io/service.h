/* service.h - tells the service manager how the node is: sd_notify(3), where $NOTIFY_SOCKET is
 * set, else nothing.
 *
 * By libsystemd and not by code of our own, though the protocol is a datagram: CZMQ links that
 * library anyway, so it costs no dependency, and it knows the corners (abstract and vsock
 * addresses, credentials, descriptors). */
#ifndef CS_IO_SERVICE_H
#define CS_IO_SERVICE_H

#include <stdbool.h>

/* The node serves: its sockets are bound, its home is open. Also after a reload. */
void cs_service_ready(const char *status);
void cs_service_reloading(void); /* until cs_service_ready */
void cs_service_stopping(const char *status);
/* One line for people (`systemctl status`), e.g. what it waits for. */
void cs_service_status(const char *status);

/* The standard error is the journal, which takes a line's "<N>" at its start for the level. */
bool cs_service_has_journal(void);

#endif
