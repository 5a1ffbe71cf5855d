// Carries the precompiled headers of the host (host/CMakeLists.txt).
