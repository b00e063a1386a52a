# A file as a C array: cmake -DFROM=openapi.yaml -DTO=openapi.c -DNAME=openapi -P embed.cmake
cmake_minimum_required(VERSION 3.25)
file(READ ${FROM} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${lines}")
file(WRITE ${TO} "#include \"api/v1/openapi.h\"\n
static const char bytes[] = {\n${bytes}0};
const struct text ${NAME} = {bytes, sizeof bytes - 1};\n")
