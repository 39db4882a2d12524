//! `cargo xtask dist` takes what ONNX Runtime opens from its own folder, and nothing else from there.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::Path;

use xtask::dist;

#[test]
fn those_that_lie_beside_the_library() {
    if !cfg!(target_os = "linux") {
        println!("SKIPPED: the names below are those of Linux");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("providers");
    drop(fs::remove_dir_all(&folder));
    let (built, theirs) = (folder.join("built"), folder.join("theirs/lib"));
    fs::create_dir_all(&built).unwrap();
    fs::create_dir_all(&theirs).unwrap();
    // Any program does for a library whose needs are read.
    for file in [built.join("libmusetalk.so"), theirs.join("libonnxruntime.so.1.31.1")] {
        fs::copy("/bin/true", file).unwrap();
    }
    fs::write(built.join("libmusetalk.a"), "").unwrap();
    let papers = ["LICENSE", "ThirdPartyNotices.txt"];
    let providers = ["libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so"];
    for file in
        papers.into_iter().chain(providers).chain(["libother.so", "libonnxruntime_providers_cuda.txt"])
    {
        fs::write(theirs.join(file), file).unwrap();
    }
    // `musetalk setup` and distributions have the plain name as a link in another folder.
    let link = folder.join("libonnxruntime.so");
    #[cfg(unix)]
    std::os::unix::fs::symlink(theirs.join("libonnxruntime.so.1.31.1"), &link).unwrap();
    let zip = dist::pack(&xtask::root(), &dist::Contents::new(built, link), &folder.join("out")).unwrap();
    let mut archive = zip::ZipArchive::new(fs::File::open(&zip).unwrap()).unwrap();
    let mut libraries: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.unwrap().split_once("/lib/")?.1.to_owned()))
        .filter(|name| !name.starts_with("cmake") && !name.starts_with("libmusetalk") && !name.is_empty())
        .collect();
    libraries.sort();
    assert_eq!(libraries, ["libonnxruntime.so.1.31.1", providers[0], providers[1]]);
    let name = zip.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut readme = String::new();
    std::io::Read::read_to_string(&mut archive.by_name(&format!("{name}/README.txt")).unwrap(), &mut readme)
        .unwrap();
    assert!(readme.contains("lib/*onnxruntime_providers_*"), "{readme}");
}
