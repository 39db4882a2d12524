//! The largest avatar there can be takes no more memory than `docs/avatar-format.md` says.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use musetalk_core::{AvatarAsset, AvatarOptions, AvatarParts, FaceBox, PixelFormat};
use musetalk_tests::{engine, scratch};

/// The most memory this process had, or has, in bytes.
fn resident(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn the_largest_avatar_takes_what_is_stated() {
    let path = scratch("largest").join("largest.avatar");
    let (width, height) = (7_680_u32, 4_320_u32);
    // A crop of four pictures, which no face has: 11 520 pixels square.
    let face = FaceBox { x1: 0, y1: 0, x2: 7_680, y2: 4_000 };
    {
        let mut parts = AvatarParts::default();
        parts.name = "largest".to_owned();
        (parts.width, parts.height) = (width, height);
        parts.frames = vec![vec![90; width as usize * height as usize * 3]; 2];
        parts.boxes = vec![face; 2];
        let side = face.crop().width() as usize;
        parts.masks = vec![vec![255; side * side]; 2];
        AvatarAsset::write_parts(engine(), &parts, &path).unwrap();
    }
    // What making it took is not counted.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = resident("VmRSS:");
    let mut options = AvatarOptions::default();
    options.format = PixelFormat::Rgba8;
    let lent = options.frames_lent as u64;
    let mut avatar = engine().open_avatar_with(&path, options).unwrap();
    for _ in 0..12 {
        drop(avatar.paced().unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let taken = resident("VmHWM:") - before;
    let pixels = u64::from(width) * u64::from(height);
    let side = face.crop().width() as u64;
    let stated = (lent + 1) * 4 * pixels + 4 * side * side + 4 * pixels + (64 << 20);
    println!("{} MB taken, {} MB stated", taken >> 20, stated >> 20);
    assert!(taken <= stated, "{taken} bytes taken, {stated} stated");
}
