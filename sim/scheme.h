/* scheme.h - signatures for the simulator: a keyed hash, a fiftieth of Ed25519's work. Anybody
 * could forge them, and nobody here tries. */
#ifndef CS_SIM_SCHEME_H
#define CS_SIM_SCHEME_H

#include "node/scheme.h"

extern const cs_scheme_t cs_sim_scheme;

#endif
