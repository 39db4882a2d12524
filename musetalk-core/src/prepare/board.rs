//! A chess board behind what is transparent, so that a person who judges sees the matte.

use super::sample::Picture;

/// The greys of the squares: none that faces or screens have.
const SQUARES: [u8; 2] = [102, 153];

/// The picture laid over a board whose squares have this side, RGB8. `alpha` has one byte a pixel, 255 = opaque.
pub(super) fn on_board(picture: &Picture<'_>, alpha: &[u8], side: usize) -> Vec<u8> {
    let side = side.max(4);
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    let shown = pixels.iter().zip(alpha).enumerate().flat_map(|(at, (pixel, &alpha))| {
        let (x, y) = (at % picture.width, at / picture.width);
        let square = SQUARES[(x / side + y / side) % 2];
        let (own, rest) = (u32::from(alpha), 255 - u32::from(alpha));
        pixel.map(|value| ((u32::from(value) * own + u32::from(square) * rest + 127) / 255) as u8)
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opaque_stays_and_the_transparent_shows_squares() {
        let picture = Picture { rgb: &[200; 8 * 8 * 3], width: 8, height: 8 };
        let mut alpha = vec![0; 64];
        alpha[9] = 255;
        alpha[10] = 128;
        let shown = on_board(&picture, &alpha, 4);
        let at = |x: usize, y: usize| shown[(y * 8 + x) * 3];
        assert_eq!((at(1, 1), at(0, 0), at(4, 0), at(0, 4), at(4, 4)), (200, 102, 153, 153, 102));
        assert_eq!(at(2, 1), 151, "half of each");
    }
}
