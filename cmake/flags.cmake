# flags.cmake - how every target of ours is compiled.
add_library(cs_flags INTERFACE)
target_compile_options(cs_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough
  -Wswitch-enum -Wno-format-truncation -ffp-contract=off -fno-common)
target_include_directories(cs_flags INTERFACE ${CMAKE_SOURCE_DIR}/engine ${CMAKE_SOURCE_DIR})
if(CRDTSYNC_WERROR)
  target_compile_options(cs_flags INTERFACE -Werror)
endif()
if(CRDTSYNC_SANITIZE)
  # gcc 12 loses track of sub-objects under ASan: its -Wrestrict and -Wmaybe-uninitialized are
  # then about its own instrumentation. The release build has them.
  target_compile_options(cs_flags INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer -Wno-restrict -Wno-maybe-uninitialized)
  target_link_options(cs_flags INTERFACE -fsanitize=address,undefined)
endif()
if(CRDTSYNC_TSAN)
  target_compile_options(cs_flags INTERFACE -fsanitize=thread)
  target_link_options(cs_flags INTERFACE -fsanitize=thread)
endif()
if(CRDTSYNC_COVERAGE)
  target_compile_options(cs_flags INTERFACE --coverage)
  target_link_options(cs_flags INTERFACE --coverage)
endif()
if(CRDTSYNC_FUZZ)
  target_compile_options(cs_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=undefined)
  target_link_options(cs_flags INTERFACE -fsanitize=address,undefined)
endif()

# As users run it: nothing is instrumented.
set(as_released FALSE)
if(CMAKE_BUILD_TYPE MATCHES "^Rel" AND
    NOT (CRDTSYNC_SANITIZE OR CRDTSYNC_TSAN OR CRDTSYNC_COVERAGE OR CRDTSYNC_FUZZ))
  set(as_released TRUE)
endif()

# The programs are optimised as a whole: a node of a million files starts in six sevenths of the
# time, random histories take a quarter less.
# Objects are of both kinds (fat), and everything else is linked of the usual ones, which is faster.
set(whole FALSE)
if(CRDTSYNC_LTO AND CMAKE_C_COMPILER_ID STREQUAL GNU AND as_released)
  set(whole TRUE)
  target_link_options(cs_flags INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:CS_WHOLE>>,-flto=auto,-fno-lto>)
endif()
function(cs_part_of_whole target)
  if(whole)
    target_compile_options(${target} PRIVATE -flto -ffat-lto-objects)
  endif()
endfunction()
function(cs_whole program)
  cs_part_of_whole(${program})
  set_target_properties(${program} PROPERTIES CS_WHOLE TRUE)
endfunction()

# cs_layer(NAME LINKS...): the static library cs_NAME of all .c files of the current folder.
# _GNU_SOURCE is left to engine/io and cmd: nothing below them calls the OS.
function(cs_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(cs_${name} STATIC ${sources})
  target_link_libraries(cs_${name} PUBLIC cs_flags ${ARGN})
  cs_part_of_whole(cs_${name})
endfunction()
