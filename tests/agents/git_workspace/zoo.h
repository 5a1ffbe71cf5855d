// What a tree can hold that makes git run a program: each plants one, whose program makes a marker file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace davit::testing {

struct Animal {
  const char* name;
  // A script for /bin/sh in the tree. $MARK: the program that makes the marker; $REAL: the repository that
  // the empty folder "sub" stands for, as a submodule. "src/a.c" and "src/b.c" are tracked.
  const char* plant;
  // What somebody careless would run in the tree then, with $OUTER for a git whose folder is elsewhere; it
  // makes the marker.
  const char* careless;
};

// Programs are started by git from the tree itself, from below it, or with git's folder elsewhere.
inline const std::vector<Animal>& zoo() {
  static const std::vector<Animal> animals{
      {"Fsmonitor", "git init -q; git config core.fsmonitor $MARK", "git status"},
      {"Hook",
       "git init -q; mkdir -p .git/hooks; cp $MARK .git/hooks/post-index-change; cp $MARK "
       ".git/hooks/pre-commit",
       "git add -A; git commit -qm x"},
      {"HooksPath", "git init -q; mkdir .husky; cp $MARK .husky/pre-commit; git config core.hooksPath .husky",
       "git add -A; git commit -qm x"},
      {"CleanFilter", "git init -q; git config filter.x.clean $MARK; echo '*.c filter=x' > .gitattributes",
       "git add -A"},
      {"ProcessFilter",
       "git init -q; git config filter.x.process $MARK; git config filter.x.clean cat; echo '*.c filter=x' > "
       ".gitattributes",
       "git add -A"},
      {"ExternalDiff",
       "git init -q; git add -A; git commit -qm x; git config diff.x.command $MARK; echo '*.c diff=x' > "
       ".gitattributes; "
       "echo more >> src/a.c",
       "git diff"},
      {"Textconv",
       "git init -q; git add -A; git commit -qm x; git config diff.x.textconv $MARK; echo '*.c diff=x' > "
       ".gitattributes; "
       "echo more >> src/a.c",
       "git diff"},
      {"SigningProgram",
       "git init -q; git add -A; git config commit.gpgSign true; git config gpg.program $MARK",
       "git commit -qm x"},
      {"IncludedConfig",
       "git init -q; printf '[core]\\n\\tfsmonitor = %s\\n' $MARK > notes.txt; git config include.path "
       "../notes.txt",
       "git status"},
      {"GitFile", "git init -q --separate-git-dir=src/data .; git config core.fsmonitor $MARK", "git status"},
      {"GitLink", "git init -q; git config core.fsmonitor $MARK; mv .git src/data; ln -s src/data .git",
       "git status"},
      {"BareRepository",
       "git init -q --bare lib; git -C lib config core.bare false; git -C lib config core.worktree ..; "
       "git -C lib config core.fsmonitor $MARK",
       "cd lib; git status"},
      {"SubmoduleUpdate",
       "git init -q; git init -q other; git -C other commit -q --allow-empty -m x; "
       "git -c protocol.file.allow=always submodule --quiet add ./other mod; git config submodule.mod.update "
       "'!'$MARK; "
       "git -C mod checkout -q --orphan y; git -C mod commit -q --allow-empty -m y",
       "git submodule update"},
      // git starts itself in the submodule, where "sub" is at the recorded commit.
      {"NestedRepository",
       "git clone -q $REAL sub; git -C sub config filter.x.clean $MARK; echo '*.c filter=x' > "
       "sub/.gitattributes; echo 'int y;' > sub/x.c",
       "$OUTER add -A"},
      {"NestedRepositoryAtAnotherCommit",
       "git clone -q $REAL sub; git -C sub commit -q --allow-empty -m x; "
       "git -C sub config filter.x.clean $MARK; echo '*.c filter=x' > sub/.gitattributes; echo 'int y;' > "
       "sub/x.c",
       "$OUTER status"},
      {"NestedFsmonitor",
       "git clone -q $REAL sub; git -C sub config core.fsmonitor $MARK; echo 'int y;' > sub/x.c",
       "$OUTER status"},
      {"NestedGitFile",
       "git clone -q --separate-git-dir=src/data $REAL sub; git -C sub config filter.x.clean $MARK; echo "
       "'*.c filter=x' > sub/.gitattributes; echo 'int y;' > sub/x.c",
       "$OUTER diff"},
      {"NestedGitLink",
       "git clone -q $REAL sub; git -C sub config filter.x.clean $MARK; mv sub/.git src/data; ln -s "
       "../src/data sub/.git; echo '*.c filter=x' > sub/.gitattributes; echo 'int y;' > sub/x.c",
       "$OUTER diff"},
  };
  return animals;
}

}  // namespace davit::testing
