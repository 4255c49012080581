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

# cs_layer(NAME LINKS...): the static library cs_NAME of all .c files of the current folder.
# _GNU_SOURCE is left to engine/io and cmd: nothing below them calls the OS.
function(cs_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(cs_${name} STATIC ${sources})
  target_link_libraries(cs_${name} PUBLIC cs_flags ${ARGN})
endfunction()
