//! Values as they are written on a command line.

use std::path::PathBuf;

use musetalk_core::{Error, ErrorKind, FrameRate, Result};

use super::NamedClip;

/// `90` for both, or `80,100`.
pub(super) fn cheeks(text: &str) -> Result<(u16, u16)> {
    let width = |text: &str| text.trim().parse::<u16>().ok().filter(|width| *width <= 256);
    let pair = match text.split_once(',') {
        Some((left, right)) => width(left).zip(width(right)),
        None => width(text).map(|both| (both, both)),
    };
    pair.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "write it as 90 or 80,100, each from 0 to 256"))
}

/// `2..12`, `..12` or `3.5..`, in seconds.
pub(super) fn seconds(text: &str) -> Result<std::ops::Range<f64>> {
    let number = |text: &str, otherwise: f64| match text.trim() {
        "" => Some(otherwise),
        text => text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0),
    };
    let pair = text.split_once("..").and_then(|(from, to)| number(from, 0.0).zip(number(to, 1e9)));
    match pair.filter(|(from, to)| from < to) {
        Some((from, to)) => Ok(from..to),
        None => Err(Error::new(ErrorKind::InvalidInput, "write it as 2..12, ..12 or 3.5.., in seconds")),
    }
}

/// `25`, `29.97` or `30000/1001`.
pub(super) fn frame_rate(text: &str) -> Result<FrameRate> {
    let wrong = || Error::new(ErrorKind::InvalidInput, "write it as 25, 29.97 or 30000/1001");
    let number = |text: &str| text.parse::<u32>().map_err(|e| wrong().caused_by(e));
    if let Some((numerator, denominator)) = text.split_once('/') {
        return FrameRate::new(number(numerator)?, number(denominator)?);
    }
    match text.split_once('.') {
        None => FrameRate::new(number(text)?, 1),
        Some((whole, decimals)) if (1..=3).contains(&decimals.len()) => {
            let scale = 10_u32.pow(decimals.len() as u32);
            let whole = number(whole)?.checked_mul(scale).ok_or_else(wrong)?;
            FrameRate::new(whole.checked_add(number(decimals)?).ok_or_else(wrong)?, scale)
        }
        Some(_) => Err(wrong()),
    }
}

/// The name of a person, as a file can state it.
pub(super) fn name(text: &str) -> Result<String> {
    let sane = !text.trim().is_empty() && text.len() <= 256 && !text.contains(char::is_control);
    let sentence =
        "a name has 1 to 256 bytes (a letter beyond English has two or more) and no control characters";
    if sane { Ok(text.to_owned()) } else { Err(Error::new(ErrorKind::InvalidInput, sentence)) }
}

/// `listening=nods.mp4`. The name becomes part of the names of reports, too.
pub(super) fn named_clip(text: &str) -> Result<NamedClip> {
    let plain = |name: &&str| {
        let letters = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        (1..=64).contains(&name.len()) && letters
    };
    let parts = text.split_once('=').filter(|(name, footage)| plain(name) && !footage.is_empty());
    let sentence =
        "write it as NAME=FOOTAGE, such as listening=nods.mp4; a name has up to 64 letters, digits, - and _";
    let (name, footage) = parts.ok_or_else(|| Error::new(ErrorKind::InvalidInput, sentence))?;
    Ok(NamedClip::new(name.to_owned(), PathBuf::from(footage)))
}
