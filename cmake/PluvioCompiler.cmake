# One language, one set of warnings, one way of hardening for everything that is built here.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_compile_definitions(_GNU_SOURCE PLUVIO_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                    -Wvla -Wformat=2 -Wundef -fno-strict-aliasing)
option(PLUVIO_WERROR "Treat warnings as errors" OFF)
if(PLUVIO_WERROR)
  add_compile_options(-Werror)
endif()

set(PLUVIO_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")
if(PLUVIO_SANITIZE)
  add_compile_options(-fsanitize=${PLUVIO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PLUVIO_SANITIZE})
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
