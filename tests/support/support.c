/* support.c - what the tests share. */
#include "support/support.h"
