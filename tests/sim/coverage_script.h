/* coverage_script.h - the script of a vector (support/script.h) as a simulated history.
 *
 * All connections are cut from the first operation of a phase on, so that what its users do is
 * concurrent; a sync of all is a rest point, one of some leaves those connected and takes long
 * enough for a removal to be forgotten. Exchanges and what tells about trees are left out. */
#ifndef CS_TESTS_SIM_COVERAGE_SCRIPT_H
#define CS_TESTS_SIM_COVERAGE_SCRIPT_H

#include "sim/history.h"

/* ret: overwritten; owned by the caller. */
void cs_coverage_script(const char *text, cs_history_t *ret);

#endif
