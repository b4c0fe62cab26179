# What `cmake --install` puts where, and how an installed copy is found: find_package(kvasir CONFIG)
# gives kvasir::kvasir (and kvasir::c, the C ABI); pkg-config knows `kvasir`.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(kvasir_exported kvasir_api kvasir_kvasir)
set_target_properties(kvasir_api PROPERTIES EXPORT_NAME api)
if(TARGET kvasir_c)
  list(APPEND kvasir_exported kvasir_c)
  install(FILES ${PROJECT_SOURCE_DIR}/sdk/c/kvasir_c.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS ${kvasir_exported} EXPORT kvasirTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/include/kvasir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")

# The command finds its library without help from the environment, wherever the prefix is moved to.
file(RELATIVE_PATH kvasir_bin_to_lib /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(kvasir_command PROPERTIES INSTALL_RPATH "$ORIGIN/${kvasir_bin_to_lib}")
install(TARGETS kvasir_command DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/fetch-model DESTINATION libexec/kvasir)
if(EXISTS ${PROJECT_SOURCE_DIR}/model/adapters)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/model/adapters
    DESTINATION ${CMAKE_INSTALL_DATADIR}/kvasir FILES_MATCHING PATTERN "*.safetensors")
endif()

set(kvasir_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/kvasir)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/kvasirConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/kvasirConfig.cmake INSTALL_DESTINATION ${kvasir_cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/kvasirConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT kvasirTargets NAMESPACE kvasir:: DESTINATION ${kvasir_cmake_folder})
install(FILES ${PROJECT_BINARY_DIR}/cmake/kvasirConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/kvasirConfigVersion.cmake DESTINATION ${kvasir_cmake_folder})

# Relative to the file's own folder, so that a prefix may be moved and staged.
file(RELATIVE_PATH kvasir_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/kvasir.pc.in ${PROJECT_BINARY_DIR}/cmake/kvasir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/kvasir.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
