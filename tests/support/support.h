/* support.h - what the tests share. */
#ifndef CS_TESTS_SUPPORT_H
#define CS_TESTS_SUPPORT_H

#endif
