//! `cargo xtask dist`: a zip with everything that a host of this system needs: library, ONNX Runtime beside it, headers, CMake package, examples,
//! and the licences of all of it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::install::{Runtime, abi_version, make_folder, rustc, stage_with, write};
use crate::{Outcome, archive, digest, failed, glibc, licences, papers, uplugin};

/// What a zip is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// Where cargo put the library.
    pub built: PathBuf,
    /// The ONNX Runtime library. Its licence and notices lie beside it or one folder up; providers that lie beside it go along.
    pub runtime: PathBuf,
    /// Whether it was built to be shipped. If not, the zip's name says so.
    pub release: bool,
}

impl Contents {
    /// A release build.
    pub fn new(built: PathBuf, runtime: PathBuf) -> Self {
        Self { built, runtime, release: true }
    }
}

/// Writes `musetalk-VERSION-TARGET.zip` and, beside it, its digest into `out`, and returns the zip's path. Either is there whole or not at all; an
/// older one is replaced. The same contents give the same bytes.
///
/// # Errors
///
/// A file is missing or could not be written, or ONNX Runtime comes without its papers.
pub fn pack(root: &Path, contents: &Contents, out: &Path) -> Outcome<PathBuf> {
    let runtime = Runtime::at(&contents.runtime)?;
    let mut name = format!("musetalk-{}-{}", env!("CARGO_PKG_VERSION"), licences::host());
    if !contents.release {
        name.push_str("-debug");
    }
    let work = Work::below(out, &name)?;
    let folder = work.0.join(&name);
    stage_with(root, &contents.built, Some(&runtime), &folder)?;
    write(&folder.join("README.txt"), &about(&runtime, &abi_version(root)?))?;
    write(&folder.join("VERSIONS.txt"), &versions(root, contents, &runtime, &folder)?)?;
    write(&folder.join("SHA256SUMS"), &sums(&folder)?)?;

    let (zip, sum) = (out.join(format!("{name}.zip")), out.join(format!("{name}.zip.sha256")));
    let (new_zip, new_sum) = (work.0.join("zip"), work.0.join("sum"));
    archive::pack(&folder, &name, &new_zip)?;
    write(&new_sum, &format!("{}  {name}.zip\n", digest::of(&new_zip)?))?;
    fs::rename(&new_zip, &zip).map_err(failed("write", &zip))?;
    fs::rename(&new_sum, &sum).map_err(failed("write", &sum))?;
    Ok(zip)
}

/// A folder beside the result, for what is not whole yet. Goes with everything in it.
struct Work(PathBuf);

impl Work {
    fn below(out: &Path, name: &str) -> Outcome<Self> {
        let folder = out.join(format!(".{name}.{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        make_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn about(runtime: &Runtime, abi: &str) -> String {
    let (folder, library, flags) = match std::env::consts::OS {
        "windows" => ("bin", "musetalk.dll".to_owned(), ""),
        "macos" => ("lib", format!("libmusetalk.{abi}.dylib"), " -Wl,-rpath,$PWD/lib"),
        _ => ("lib", format!("libmusetalk.so.{abi}"), " -Wl,-rpath,$PWD/lib"),
    };
    let system = papers::system();
    let providers = match runtime.has_providers() {
        true => format!(
            "\n    for a GPU, those of {folder}/*onnxruntime_providers_* that it needs, in the same folder"
        ),
        false => String::new(),
    };
    format!(
        "\
MuseTalk for hosts {version}: speech in, pictures of a talking face out. For {system}.

Unpack with something that keeps links (unzip, tar, cmake -E tar), and build with CMake:

    cmake -S share/doc/musetalk/examples -B build -DCMAKE_PREFIX_PATH=$PWD && cmake --build build

or without it:

    cc share/doc/musetalk/examples/hello.c -Iinclude -Llib -lmusetalk -lm{flags} -o hello

A pack and an avatar are needed to run: models/demo of the repository holds a small pack, two drawn avatars and a voice.

What to ship with a program of yours:

    {folder}/{library}, and beside it {folder}/{runtime}
        (a program that is linked with the static library: {runtime} beside the program){providers}
    from share/doc/musetalk: LICENSE-MIT or LICENSE-APACHE, THIRD-PARTY-{system}.txt, and everything that begins with onnxruntime-

VERSIONS.txt says what this was built from, SHA256SUMS what belongs here (`sha256sum -c SHA256SUMS`), include/musetalk.h what every function does.
",
        version = env!("CARGO_PKG_VERSION"),
        runtime = runtime.name,
    )
}

fn versions(root: &Path, contents: &Contents, runtime: &Runtime, folder: &Path) -> Outcome<String> {
    let profile = if contents.release { " --release" } else { "" };
    let mut lines = vec![
        ("musetalk", env!("CARGO_PKG_VERSION").to_owned()),
        ("interface (ABI)", abi_version(root)?),
        ("ONNX Runtime", runtime.version().to_owned()),
        ("target", licences::host()),
        (
            "built with",
            format!("cargo build --package musetalk-ffi{profile}, {}", rustc(root, &["--version"])?),
        ),
    ];
    if cfg!(target_os = "linux") {
        let abi = abi_version(root)?;
        for (what, library) in [
            ("libmusetalk needs", folder.join(format!("lib/libmusetalk.so.{abi}"))),
            ("ONNX Runtime needs", runtime.library().to_owned()),
        ] {
            let bytes = fs::read(&library).map_err(failed("read", &library))?;
            let needs = glibc::needs(&bytes).map_err(|why| format!("{}: {why}", library.display()))?;
            let (major, minor) = needs.newest;
            lines.push((what, format!("glibc {major}.{minor} or later; {}", needs.libraries.join(", "))));
        }
    }
    Ok(lines.iter().fold(String::new(), |mut text, (what, value)| {
        // A string takes whatever is written into it.
        let _written = writeln!(text, "{what:<20}{value}").is_ok();
        text
    }))
}

/// A line for every file, as `sha256sum` reads it. A link is what it leads to, and has none.
fn sums(folder: &Path) -> Outcome<String> {
    let mut text = String::new();
    for file in uplugin::list(folder)? {
        let path = folder.join(&file);
        if path.is_symlink() {
            continue;
        }
        let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
        let _written = writeln!(text, "{}  {}", digest::of(&path)?, parts.join("/")).is_ok();
    }
    Ok(text)
}
