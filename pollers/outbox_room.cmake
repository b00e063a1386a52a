set(here ${CMAKE_CURRENT_SOURCE_DIR})
pluvio_room(NAME outbox SOURCES outbox.c outbox_tidy.c publisher.c publisher_acks.c publisher_rdkafka.c release.c thinning.c
  HEADERS ${here}/outbox.h ${here}/outbox_private.h ${here}/publisher.h ${here}/publisher_private.h ${here}/publisher_rdkafka.h ${here}/release.h
          ${here}/thinning.h
  NEIGHBOURS kafka store wire model base)
