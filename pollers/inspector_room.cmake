pluvio_room(
  NAME inspector
  SOURCES host_figures.c
          host_identity.c
          inspector.c
          inspector_libvirt.c
          inspection.c
          inspection_details.c
          inspector_ask.c
          inspector_cache.c
          inspector_connection.c
          inspector_feed.c
          inspector_feed_take.c
          inspector_last.c
          inspector_queue.c
          inspector_single.c
          inspector_stats.c
          inspector_thread.c
          inspector_xml.c
          inspect_worker.c
          domain_xml.c
          nova_xml.c
          process_start.c
  NEIGHBOURS base model
  LIBRARIES PkgConfig::LIBVIRT PkgConfig::XML Threads::Threads
  HEADERS host_figures.h
          host_identity.h
          inspector.h
          inspector_libvirt.h
          inspection.h
          inspection_details.h
          inspector_ask.h
          inspector_cache.h
          inspector_connection.h
          inspector_feed.h
          inspector_feed_private.h
          inspector_last.h
          inspector_queue.h
          inspector_single.h
          inspector_stats.h
          inspector_thread.h
          inspector_xml.h
          inspect_worker.h
          domain_xml.h
          nova_xml.h
          process_start.h)
