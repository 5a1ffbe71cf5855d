// A fault test that leaves a process running, named by its first argument; lane_test looks for it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <unistd.h>

#include <string>

TEST(CarelessTest, LeavesAProcess) {
  std::string name = ::testing::internal::GetArgvs().back(), seconds = "60";
  char* argv[] = {name.data(), seconds.data(), nullptr};
  posix_spawn_file_actions_t quiet;  // who reads this program's output does not wait for it
  posix_spawn_file_actions_init(&quiet);
  for (int fd : {1, 2}) posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  ASSERT_EQ(::posix_spawn(&pid, "/bin/sleep", &quiet, nullptr, argv, environ), 0);
  posix_spawn_file_actions_destroy(&quiet);
}
