# What a daemon brings along beside its binary: sample configuration, a sandboxed unit, its unprivileged user.
#
#   pluvio_install(pluvio-collector)     from install/ in the caller's folder
#
# A configuration that is there already is never overwritten. /etc is /etc whatever the prefix: the programs look there.
function(pluvio_install program)
  set(from ${CMAKE_CURRENT_SOURCE_DIR}/install)
  configure_file(${from}/${program}.service.in ${CMAKE_CURRENT_BINARY_DIR}/${program}.service @ONLY)
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${program}.service DESTINATION lib/systemd/system)
  install(FILES ${from}/${program}.sysusers DESTINATION lib/sysusers.d RENAME ${program}.conf)
  install(CODE "
    if(EXISTS \"\$ENV{DESTDIR}/etc/pluvio/${program}.yaml\")
      message(STATUS \"Kept: \$ENV{DESTDIR}/etc/pluvio/${program}.yaml\")
    else()
      file(INSTALL DESTINATION \"/etc/pluvio\" TYPE FILE FILES \"${from}/${program}.yaml\")
    endif()")
endfunction()
