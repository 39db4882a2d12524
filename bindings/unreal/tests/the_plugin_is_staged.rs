//! `cargo xtask uplugin` lays out everything that a game needs, and nothing that is no part of it.

use std::fs;

use musetalk_tests::scratch;
use xtask::{root, uplugin};

// Linked for its shared library, which cargo puts beside this test.
use musetalk as _;

#[test]
fn with_library_runtime_papers_and_packs() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("SKIPPED: the names below are those of Linux");
        return;
    }
    let folder = scratch("unreal-staged");
    let test = std::env::current_exe().expect("a test knows its path");
    let mut contents = uplugin::Contents::new(test.parent().expect("a file lies in a folder").to_owned());
    let runtime = folder.join("runtime");
    fs::create_dir(&runtime).expect("a folder can be made");
    let papers = ["LICENSE", "ThirdPartyNotices.txt"];
    for file in ["libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so", "other.txt"]
        .into_iter()
        .chain(papers)
    {
        fs::write(runtime.join(file), file).expect("a file can be written");
    }
    contents.runtime = Some(runtime.clone());
    let out = folder.join("MuseTalk");
    uplugin::stage(&root(), &contents, &out).expect("the plugin is staged");
    let staged = uplugin::list(&out).expect("what was staged can be listed");
    let native = std::path::Path::new("Source/ThirdParty/MuseTalkNative");
    for file in [
        "MuseTalkNative.Build.cs",
        "include/musetalk.h",
        "Linux/libmusetalk.so",
        "Linux/libonnxruntime.so.1.31.1",
        "Linux/libonnxruntime_providers_shared.so",
        "licences/onnxruntime-Linux-LICENSE",
        "licences/THIRD-PARTY-Linux.txt",
        "licences/onnxruntime-Linux-ThirdPartyNotices.txt",
        "licences/README.txt",
        "licences/LICENSE-MIT",
        "packs/demo/pack/pack.json",
        "packs/demo/iris.avatar",
    ] {
        assert!(staged.contains(&native.join(file)), "{file} is missing: {staged:#?}");
    }
    for file in
        ["MuseTalk.uplugin", "README.md", "LICENSE-APACHE", "Source/MuseTalk/Private/Core/Session.cpp"]
    {
        assert!(staged.contains(&file.into()), "{file} is missing: {staged:#?}");
    }
    assert!(!staged.iter().any(|file| file.ends_with("other.txt")));

    // The library's file says the same as its folder, and what is no part of it stays away.
    contents.runtime = Some(runtime.join("libonnxruntime.so.1.31.1"));
    uplugin::stage(&root(), &contents, &out).expect("the plugin is staged from a file");
    assert_eq!(uplugin::list(&out).expect("it can be listed"), staged);

    // Once more over the old one; never over something else.
    fs::write(out.join("stale.txt"), "of the last release").expect("a file can be written");
    uplugin::stage(&root(), &contents, &out).expect("the plugin is staged again");
    assert!(!out.join("stale.txt").exists());
    let refused = uplugin::stage(&root(), &contents, &runtime).expect_err("that is no plugin");
    assert!(refused.contains("no MuseTalk plugin"), "{refused}");
    assert!(runtime.join("other.txt").exists());

    // Without its licence, and those of what is in it, the runtime must not go along.
    for (paper, word) in [("ThirdPartyNotices.txt", "ThirdPartyNotices"), ("LICENSE", "LICENSE")] {
        fs::remove_file(runtime.join(paper)).expect("a file can be removed");
        let refused = uplugin::stage(&root(), &contents, &out).expect_err("a paper is missing");
        assert!(refused.contains(word), "{refused}");
    }
    contents.built = folder.join("nowhere");
    assert!(uplugin::stage(&root(), &contents, &out).expect_err("no library").contains("libmusetalk.so"));
    assert!(out.join("MuseTalk.uplugin").exists(), "a refusal leaves the old plugin as it was");
}
