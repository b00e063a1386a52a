set(here ${CMAKE_CURRENT_SOURCE_DIR})
pluvio_room(NAME poller
  SOURCES cycle.c discovery.c event_limit.c host_claim.c hung.c incarnation.c incarnation_device.c incarnation_pack.c
          incarnation_set.c incarnation_store.c incarnation_stream.c incarnation_values.c lifecycle.c notices.c poller.c
          poller_figures.c pollster.c selection.c
  HEADERS ${here}/cycle.h ${here}/discovery.h ${here}/event_limit.h ${here}/host_claim.h ${here}/hung.h
          ${here}/incarnation.h ${here}/incarnation_private.h ${here}/incarnation_store.h ${here}/lifecycle.h
          ${here}/notices.h ${here}/poller.h ${here}/poller_figures.h ${here}/pollster.h ${here}/selection.h
  NEIGHBOURS inspector outbox wire store model base)

add_executable(pluvio-poller main.c explain.c once.c poller_options.c)
target_link_libraries(pluvio-poller PRIVATE poller config)
pluvio_install(pluvio-poller)
