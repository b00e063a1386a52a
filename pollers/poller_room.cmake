pluvio_room(
  NAME poller
  SOURCES incarnation.c
          incarnation_device.c
          incarnation_pack.c
          incarnation_set.c
          incarnation_stream.c
          incarnation_values.c
          lifecycle.c
  NEIGHBOURS inspector wire store model base
  HEADERS incarnation.h
          incarnation_private.h
          lifecycle.h)
