//! The second reading: latents, masks and closed mouths of the frames that are used, and the contact sheet.

use std::ops::ControlFlow;
use std::path::Path;

use super::closed::ClosedMouth;
use super::plan::Plan;
use super::source::{self, FrameSource, SourceFrame};
use super::{Analysis, PrepareStep, Preparer, Preparing, report};
use crate::Result;
use crate::asset::{AvatarHeader, AvatarWriter, FaceBox, PreparedFrame};
use crate::compose::filter::{Filter, pillow_resize};
use crate::networks::{FaceParser, Landmarks};
use crate::prepare::{
    Observation, Picture, Screen, Sheet, Shown, append_latent, chosen, classes_of, mask_of,
};

/// Writes the avatar, and draws the sheet on the way.
pub(super) fn write(
    analysis: &mut Analysis,
    source: &mut dyn FrameSource,
    path: &Path,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Vec<u8>> {
    let Analysis { preparer, plan, seen, work, .. } = analysis;
    let mut closed = if plan.closed { Some(ClosedMouth::load(&preparer.loader)?) } else { None };
    let name = preparer.options.name.clone();
    let mut header = AvatarHeader::new(name, source.width(), source.height(), preparer.loader.pack.fps());
    header.alpha = source.has_alpha() || preparer.options.key.is_some();
    header.closed = closed.is_some();
    let alpha = header.alpha;
    let mut writer = AvatarWriter::create(path, &preparer.loader.pack, header)?;
    writer.begin_clip("idle")?;
    let image = preparer.loader.pack.manifest().image;
    let size = (source.width(), source.height());
    let mut latent = Vec::new();
    let sheet = read(preparer, (&*plan, &seen[..]), source, progress, |preparer, frame, place, mask| {
        let face = plan.faces[place];
        latent.clear();
        match work.as_mut().and_then(|work| work.latent(place, &face)) {
            Some(kept) => latent.extend_from_slice(&kept),
            None => {
                // What the encoder sees is what the screen will show.
                let shown = writer.shown(&frame.rgb)?;
                append_latent(&mut preparer.encoder, image, shown, size, &face, &mut latent)?;
                if let Some(work) = work.as_mut() {
                    work.keep_latent(place, &face, &latent)?;
                }
            }
        }
        let closed = match &mut closed {
            Some(closed) => Some(closed.patch(&latent)?),
            None => None,
        };
        writer.frame(&PreparedFrame {
            rgb: &frame.rgb,
            alpha: alpha.then_some(&frame.alpha[..]),
            face_box: face,
            mask,
            latent: &latent,
            closed,
        })
    })?;
    let drawn = finish(analysis, &sheet)?;
    writer.finish()?;
    Ok(drawn)
}

/// Draws the sheet alone.
pub(super) fn draw(
    analysis: &mut Analysis,
    source: &mut dyn FrameSource,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Vec<u8>> {
    let Analysis { preparer, plan, seen, .. } = analysis;
    let sheet = read(preparer, (&*plan, &seen[..]), source, progress, |_, _, _, _| Ok(()))?;
    finish(analysis, &sheet)
}

fn finish(analysis: &Analysis, sheet: &Sheet) -> Result<Vec<u8>> {
    let Analysis { preparer, plan, report, .. } = analysis;
    let mut words = vec![format!("{} - {}×{}", preparer.options.name, report.size.0, report.size.1)];
    words.extend(report.refusal.iter().map(|why| format!("refused: {why}")));
    words.extend(report.notes());
    sheet.png(&words, &plan.verdicts, &plan.used)
}

/// Reads the footage again, draws what the sheet shows, and hands every used frame with its place in the stretch and its mask to
/// `take`.
fn read(
    preparer: &mut Preparer,
    (plan, seen): (&Plan, &[Observation]),
    source: &mut dyn FrameSource,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
    mut take: impl FnMut(&mut Preparer, &SourceFrame, usize, &[u8]) -> Result<()>,
) -> Result<Sheet> {
    let size = (source.width() as usize, source.height() as usize);
    let wanted = chosen(&plan.verdicts, &plan.used);
    let (mut sheet, mut screen, mut frame) = (Sheet::default(), None, SourceFrame::default());
    let start = usize::try_from(preparer.frames().start).unwrap_or(usize::MAX);
    source.rewind()?;
    // Numbered like the plan: what lies before the range has none.
    for skipped in 0..start.saturating_add(plan.verdicts.len()) {
        if !source::next(source, &mut frame)? {
            break;
        }
        let Some(index) = skipped.checked_sub(start) else { continue };
        let used = plan.used.contains(&index);
        if used || wanted.contains(&index) {
            if let Some(key) = preparer.options.key {
                let screen = match screen {
                    Some(screen) => screen,
                    None => *screen.insert(Screen::find(&frame.rgb, size, key)?),
                };
                frame.alpha = screen.matte(&mut frame.rgb);
            }
            let picture = Picture { rgb: &frame.rgb, width: size.0, height: size.1 };
            let place = plan.place(index);
            let mask = match place {
                Some(place) => Some(mask(preparer, &picture, &plan.faces[place], &plan.points[place])?),
                None => None,
            };
            if wanted.contains(&index) {
                sheet.add(
                    &picture,
                    &Shown {
                        frame: index,
                        verdict: plan.verdicts[index],
                        used,
                        points: place
                            .map_or_else(|| seen[index].landmarks(), |place| Some(&plan.points[place])),
                        faces: &seen[index].faces,
                        face: place.map(|place| plan.faces[place]),
                        mask: mask.as_deref(),
                    },
                );
            }
            if let (true, Some(place), Some(mask)) = (used, place, &mask) {
                take(preparer, &frame, place, mask)?;
            }
        }
        report(progress, PrepareStep::Writing, index as u64 + 1, Some(plan.verdicts.len() as u64))?;
    }
    Ok(sheet)
}

fn mask(
    preparer: &mut Preparer,
    picture: &Picture<'_>,
    face: &FaceBox,
    points: &Landmarks,
) -> Result<Vec<u8>> {
    let classes = match &mut preparer.parser {
        Some(parser) => {
            let crop = face.crop();
            let (side, parsed) = (crop.width() as usize, FaceParser::SIDE);
            let square = picture.square(&crop);
            parser.parse(&pillow_resize(&square, 3, (side, side), (parsed, parsed), Filter::Bilinear))?
        }
        None => classes_of(points, face),
    };
    Ok(mask_of(&classes, face, preparer.options.mask, preparer.options.blur))
}
