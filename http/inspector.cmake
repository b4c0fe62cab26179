# Turns the files of http/inspector into inspector.cc in the build folder, so that the command needs
# no files beside it. A changed or new file configures again.
file(GLOB inspector_files CONFIGURE_DEPENDS
  inspector/*.html inspector/*.css inspector/*.js inspector/*.svg)
list(SORT inspector_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inspector_files})

set(type_of_html "text/html; charset=utf-8")
set(type_of_css "text/css; charset=utf-8")
set(type_of_js "text/javascript; charset=utf-8")
set(type_of_svg "image/svg+xml")
set(KVASIR_INSPECTOR_FILES "")
foreach(path ${inspector_files})
  cmake_path(GET path FILENAME name)
  cmake_path(GET path EXTENSION LAST_ONLY extension)
  string(SUBSTRING ${extension} 1 -1 extension)
  file(READ ${path} bytes)
  file(SHA256 ${path} hash)
  string(APPEND KVASIR_INSPECTOR_FILES
    "    {\"${name}\", \"${type_of_${extension}}\", \"${hash}\", R\"inspector(${bytes})inspector\"},\n")
endforeach()
configure_file(inspector.cc.in inspector.cc @ONLY)
