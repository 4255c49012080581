# install.cmake - what `cmake --install` puts where, and the two Debian packages that CPack makes:
# component "runtime" is crdtsync, "development" is libcrdtsync-dev.
set(doc ${CMAKE_INSTALL_DATADIR}/doc/crdtsync)
set(doc_dev ${CMAKE_INSTALL_DATADIR}/doc/libcrdtsync-dev)
set(out ${CMAKE_BINARY_DIR}/packaging)
file(MAKE_DIRECTORY ${out})

# --- the program

install(TARGETS crdtsync RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(TARGETS crdtsync-node RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/crdtsync
  COMPONENT runtime)
install(FILES README.md docs/design.md DESTINATION ${doc} COMPONENT runtime)

# compressed(SOURCE NAME DESTINATION COMPONENT): as distributions want manuals and change logs.
find_program(GZIP gzip REQUIRED)
function(compressed source name destination component)
  add_custom_command(OUTPUT ${out}/${name}.gz
    COMMAND ${GZIP} -9nc ${source} > ${out}/${name}.gz DEPENDS ${source} VERBATIM)
  add_custom_target(packaging_${name} ALL DEPENDS ${out}/${name}.gz)
  install(FILES ${out}/${name}.gz DESTINATION ${destination} COMPONENT ${component})
endfunction()
set(docs ${CMAKE_BINARY_DIR}/docs)
compressed(${docs}/crdtsync.1 crdtsync.1 ${CMAKE_INSTALL_MANDIR}/man1 runtime)
compressed(${CMAKE_SOURCE_DIR}/docs/man/crdtsync-config.5 crdtsync-config.5
  ${CMAKE_INSTALL_MANDIR}/man5 runtime)
add_dependencies(packaging_crdtsync.1 docs)

install(FILES ${docs}/crdtsync.bash RENAME crdtsync COMPONENT runtime
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${docs}/crdtsync.zsh RENAME _crdtsync COMPONENT runtime
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${docs}/crdtsync.fish COMPONENT runtime
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

foreach(unit crdtsync.service crdtsync-scan.service)
  configure_file(packaging/systemd/${unit}.in ${out}/${unit} @ONLY)
  install(FILES ${out}/${unit} DESTINATION lib/systemd/user COMPONENT runtime)
endforeach()
install(FILES packaging/systemd/crdtsync-scan.timer DESTINATION lib/systemd/user
  COMPONENT runtime)

# --- the library: all layers in one archive

set(layers base crdt recon xfer disk proto_gen proto node io)
foreach(layer ${layers})
  list(APPEND objects $<TARGET_OBJECTS:cs_${layer}>)
endforeach()
add_library(libcrdtsync STATIC ${objects})
set_target_properties(libcrdtsync PROPERTIES OUTPUT_NAME crdtsync LINKER_LANGUAGE C)
if(whole) # of use to the very same compiler only
  add_custom_command(TARGET libcrdtsync POST_BUILD VERBATIM
    COMMAND ${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu*lto* $<TARGET_FILE:libcrdtsync>)
endif()
install(TARGETS libcrdtsync ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)

# The public headers (docs/embedding.md): what io/daemon.h and node/node.h need, and the shells
# that a program with its own loop may want. Everything else is private.
foreach(header
    base/base.h base/buf.h base/digest.h base/err.h base/limits.h base/mem.h base/prng.h
    base/store.h base/str.h base/symbols.h base/tasks.h
    crdt/entry.h crdt/replica.h crdt/vv.h
    disk/apply.h disk/flush.h disk/fs.h disk/scan.h
    xfer/content.h xfer/fetch.h
    node/cron.h node/gossip.h node/job.h node/marks.h node/node.h node/rate.h node/scheme.h node/standing.h
    io/config.h io/rate_plan.h io/control_client.h io/daemon.h io/entropy.h io/exit_codes.h io/fs_linux.h
    io/home.h io/identity.h io/json_out.h io/leveldb_store.h io/records.h io/request.h
    io/strings.h io/zpl.h)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES engine/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/crdtsync/${folder}
    COMPONENT development)
endforeach()
install(FILES proto/frame.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/crdtsync/proto
  COMPONENT development)

# Relative, so that a staged or moved tree works as it is.
file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(packaging/crdtsync.pc.in ${out}/crdtsync.pc @ONLY)
install(FILES ${out}/crdtsync.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
install(FILES docs/embedding.md DESTINATION ${doc_dev} COMPONENT development)
install(FILES examples/two_replicas.c DESTINATION ${doc_dev}/examples COMPONENT development)

# --- Debian packages

compressed(${CMAKE_SOURCE_DIR}/packaging/debian/changelog changelog ${doc} runtime)
install(FILES ${out}/changelog.gz DESTINATION ${doc_dev} COMPONENT development)
install(FILES packaging/debian/copyright DESTINATION ${doc} COMPONENT runtime)
install(FILES packaging/debian/copyright DESTINATION ${doc_dev} COMPONENT development)

set(CPACK_GENERATOR DEB)
# Units and the prefix they were configured with belong together: scripts/package gives /usr.
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_PACKAGE_VENDOR crdtsync)
set(CPACK_PACKAGE_CONTACT "crdtsync developers <maintainers@crdtsync.invalid>")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME crdtsync)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION net)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
  "folders that stay the same on many machines
Each node keeps a replica of a folder and tells its peers what changed. There
is no server and no clock; nodes may be away for a year and still end with
equal trees. What was changed on two sides is kept on both. Links are
authenticated and encrypted.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcrdtsync-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libczmq-dev, libjansson-dev, libleveldb-dev, \
libprotobuf-c-dev, libsodium-dev, libssl-dev, libsystemd-dev, libxxhash-dev, libzmq3-dev, libzstd-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
  "folders that stay the same on many machines - library
The node of crdtsync as a static library, with its headers, a pkg-config file
and an example: a program may be a replica itself, or bring its own network
and disk to the replicating core.")
include(CPack)
