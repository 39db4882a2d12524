# find_package(musetalk) gives the targets
#   musetalk::musetalk          the shared library
#   musetalk::musetalk_static   the same, linked in; large, and its licences come along
# Both need ONNX Runtime at run time only: beside the library, or where musetalk_engine_options.runtime_path says.

get_filename_component(_musetalk_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET musetalk::musetalk)
  add_library(musetalk::musetalk SHARED IMPORTED)
  set_target_properties(musetalk::musetalk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_musetalk_prefix}/include")
  if(WIN32)
    set_target_properties(musetalk::musetalk PROPERTIES
      IMPORTED_LOCATION "${_musetalk_prefix}/bin/musetalk.dll"
      IMPORTED_IMPLIB "${_musetalk_prefix}/lib/musetalk.lib")
  elseif(APPLE)
    file(GLOB _musetalk_library "${_musetalk_prefix}/lib/libmusetalk.[0-9]*.dylib")
    set_target_properties(musetalk::musetalk PROPERTIES IMPORTED_LOCATION "${_musetalk_library}")
  else()
    file(GLOB _musetalk_library "${_musetalk_prefix}/lib/libmusetalk.so.[0-9]*")
    get_filename_component(_musetalk_soname "${_musetalk_library}" NAME)
    set_target_properties(musetalk::musetalk PROPERTIES
      IMPORTED_LOCATION "${_musetalk_library}"
      IMPORTED_SONAME "${_musetalk_soname}")
  endif()
endif()

if(NOT TARGET musetalk::musetalk_static)
  add_library(musetalk::musetalk_static STATIC IMPORTED)
  set_target_properties(musetalk::musetalk_static PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_musetalk_prefix}/include")
  if(WIN32)
    set_target_properties(musetalk::musetalk_static PROPERTIES
      IMPORTED_LOCATION "${_musetalk_prefix}/lib/musetalk_static.lib"
      INTERFACE_LINK_LIBRARIES "ws2_32;bcrypt;ntdll;userenv;advapi32;synchronization")
  else()
    find_package(Threads REQUIRED)
    set_target_properties(musetalk::musetalk_static PROPERTIES
      IMPORTED_LOCATION "${_musetalk_prefix}/lib/libmusetalk.a"
      INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
  endif()
endif()

set(musetalk_FOUND TRUE)
