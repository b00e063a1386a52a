# A room is a static library with its sources, the headers that others may include, and the neighbours that it may call.
#
#   pluvio_room(NAME ledger SOURCES ledger.c ... NEIGHBOURS base store LIBRARIES PkgConfig::SQLITE HEADERS include/...)
#
# Three checks come with a room:
#   - every header compiles alone (VERIFY_INTERFACE_HEADER_SETS),
#   - `NAME_walls` links the room whole with only its neighbours: a call to anything else is an undefined reference,
#   - the test `walls_includes` (tests/walls) reads the compiler's dependency files.
# Third-party LIBRARIES are private: no header in include/ shows a library's types.
function(pluvio_room)
  cmake_parse_arguments(ROOM "" "NAME" "SOURCES;HEADERS;NEIGHBOURS;LIBRARIES" ${ARGN})
  add_library(${ROOM_NAME} STATIC ${ROOM_SOURCES})
  target_sources(${ROOM_NAME} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ROOM_HEADERS})
  set_target_properties(${ROOM_NAME} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(${ROOM_NAME} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${ROOM_NAME} PUBLIC ${ROOM_NEIGHBOURS} PRIVATE ${ROOM_LIBRARIES})

  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${ROOM_NAME}_walls.c "int main(void) { return 0; }\n")
  add_executable(${ROOM_NAME}_walls ${CMAKE_CURRENT_BINARY_DIR}/${ROOM_NAME}_walls.c)
  target_link_libraries(${ROOM_NAME}_walls PRIVATE -Wl,--whole-archive $<TARGET_FILE:${ROOM_NAME}>
                        -Wl,--no-whole-archive ${ROOM_NEIGHBOURS} ${ROOM_LIBRARIES})
  add_dependencies(${ROOM_NAME}_walls ${ROOM_NAME})
endfunction()

# A test program written with Check. LABELS: unit, property, integration, sim.
#   pluvio_test(NAME test_buf SOURCES test_buf.c ROOMS base LABELS unit)
function(pluvio_test)
  cmake_parse_arguments(TEST "" "NAME;TIMEOUT" "SOURCES;ROOMS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${TEST_NAME} ${TEST_SOURCES})
  target_include_directories(${TEST_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${TEST_NAME} PRIVATE test_support ${TEST_ROOMS} ${TEST_LIBRARIES} PkgConfig::CHECK)
  add_test(NAME ${TEST_NAME} COMMAND ${TEST_NAME})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  set_tests_properties(${TEST_NAME} PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# A test in Python on real parts (tests/support/world), with their places in its environment.
#   pluvio_world_test(test_road_kafka test_road.py kafka)
function(pluvio_world_test name script)
  add_test(NAME ${name} COMMAND python3 ${script} ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS integration TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT "${PLUVIO_WORLD}")
endfunction()
