# davit_add_plugin(name SOURCES file… [LIBRARIES target…])
#
# A loadable plugin library: <name>.so in ${CMAKE_BINARY_DIR}/plugins, from C or C++ sources, that exports the factory
# symbols of davit/abi/entry.h and nothing else. Why each flag is there:
#   version script, hidden visibility, --exclude-libs  two plugins, or a plugin and the host, must not share symbols
#   -fno-gnu-unique   a "unique" symbol is shared across libraries after all, and pins the library in memory
#   -z now            a missing function is found when the plugin is looked at, not at the first call
#   -z defs           and at link time already; not with sanitizers, whose runtime comes with the program

function(davit_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "davit_add_plugin(${name}): write davit_add_plugin(name SOURCES file… [LIBRARIES target…])")
  endif()
  set(version_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE davit::plugin-sdk ${ARG_LIBRARIES})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE -Wl,--version-script=${version_script} -Wl,-z,now -Wl,-z,relro
                                      -Wl,--exclude-libs,ALL)
  if(CMAKE_CXX_COMPILER_ID)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  if(TARGET davit_flags)  # built within davit's own tree
    target_link_libraries(${name} PRIVATE davit_flags)
  endif()
  if(NOT DAVIT_SANITIZER AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${version_script}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
endfunction()

# davit_add_plugin_test(name PLUGIN target SOURCES file… [LIBRARIES target…])
#
# A test program over the testing kit (davit/testing/) that gets the built library's path as its argument, and runs in
# the folder of the CMakeLists.txt. Needs a C++20 compiler, also where the plugin is in C; ctest runs it after
# enable_testing().
function(davit_add_plugin_test name)
  cmake_parse_arguments(ARG "" "PLUGIN" "SOURCES;LIBRARIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES OR NOT TARGET "${ARG_PLUGIN}")
    message(FATAL_ERROR "davit_add_plugin_test(${name}): write davit_add_plugin_test(name PLUGIN target SOURCES file… [LIBRARIES target…]), "
                        "behind the davit_add_plugin of that target")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE davit::plugin-sdk ${ARG_LIBRARIES} ${CMAKE_DL_LIBS})
  add_dependencies(${name} ${ARG_PLUGIN})
  add_test(NAME ${name} COMMAND ${name} $<TARGET_FILE:${ARG_PLUGIN}> WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
