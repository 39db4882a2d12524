//! What of the Unreal plugin can be checked without Unreal: its plain C++ runs, everything else compiles against stub headers.
//!
//! The tests need a C++ compiler, `$CXX` or `c++`; where there is none they say so and check nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of this crate.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the module's sources lie.
pub fn module() -> PathBuf {
    here().join("MuseTalk/Source/MuseTalk")
}

/// The files with this ending in a folder, in order.
///
/// # Panics
///
/// If the folder cannot be read.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension() == Some(OsStr::new(ending)));
    files.sort();
    files
}

/// A C++ compiler.
#[derive(Clone, Debug)]
pub struct Compiler(String);

impl Compiler {
    /// `$CXX` or `c++`; none where it does not run, and a line that says so.
    pub fn find() -> Option<Self> {
        let name =
            std::env::var("CXX").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "c++".to_owned());
        match Command::new(&name).arg("--version").output() {
            Ok(output) if output.status.success() => Some(Self(name)),
            _ => {
                println!("SKIPPED: no C++ compiler; `{name}` does not run. Install one, or name it in CXX");
                None
            }
        }
    }

    /// Runs it with these arguments, after those that every file of the plugin is compiled with.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Output {
        let include = here().join("../../include");
        let mut command = Command::new(&self.0);
        command.args(["-Wall", "-Wextra", "-Wshadow", "-Werror", "-pthread", "-I"]).arg(include);
        command.arg("-I").arg(module().join("Private"));
        command.args(arguments).output().expect("the compiler was found to run")
    }

    /// Builds a program of the plain core and one test file; nothing where this compiler lacks the sanitizer asked for.
    ///
    /// # Panics
    ///
    /// If it does not compile.
    pub fn build(&self, test: &str, program: &Path, sanitizer: Option<&str>) -> Option<PathBuf> {
        let sanitizer = sanitizer.map(|names| format!("-fsanitize={names}"));
        if let Some(sanitizer) = &sanitizer
            && !self.can(sanitizer, program)
        {
            println!("SKIPPED: this compiler has no {sanitizer}");
            return None;
        }
        let mut arguments: Vec<std::ffi::OsString> =
            ["-std=c++17", "-Wpedantic", "-g", "-O1", "-o"].map(Into::into).to_vec();
        arguments.push(program.into());
        if let Some(sanitizer) = sanitizer {
            arguments.extend([sanitizer.into(), "-fno-sanitize-recover=all".into()]);
        }
        arguments.push(here().join("tests").join(test).into());
        arguments.extend(files(&module().join("Private/Core"), "cpp").into_iter().map(Into::into));
        arguments.push("-ldl".into());
        let output = self.run(arguments);
        assert!(output.status.success(), "{test}:\n{}", String::from_utf8_lossy(&output.stderr));
        Some(program.to_owned())
    }

    fn can(&self, sanitizer: &str, program: &Path) -> bool {
        let empty = program.with_extension("empty.cpp");
        std::fs::write(&empty, "int main() {}\n").expect("a file can be written");
        let output = self.run([OsStr::new(sanitizer), "-o".as_ref(), program.as_os_str(), empty.as_os_str()]);
        output.status.success()
    }
}

/// Runs a program and shows what it said.
///
/// # Panics
///
/// If it fails.
pub fn pass(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
