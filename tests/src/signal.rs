use std::f32::consts::TAU;

/// A small generator of equal random numbers everywhere.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Noise(u64);

impl Noise {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next number, −1…1.
    pub fn sample(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

/// Something that rises and falls as speech does: four syllables a second of a buzzing tone with a wandering formant, a
/// pause of half a second after every two seconds.
pub fn babble(seconds: f32, rate: u32, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let count = (seconds * rate as f32) as usize;
    let pitch = 110.0 + 40.0 * (noise.sample() + 1.0);
    (0..count)
        .map(|index| {
            let t = index as f32 / rate as f32;
            if t % 2.5 > 2.0 {
                return 0.001 * noise.sample();
            }
            let syllable = (0.5 - 0.5 * (TAU * 4.0 * t).cos()).powi(2);
            let buzz: f32 = (1..12).map(|k| (TAU * pitch * k as f32 * t).sin() / k as f32).sum();
            let formant = (TAU * (500.0 + 300.0 * (TAU * 1.3 * t).sin()) * t).sin();
            0.15 * syllable * (buzz + formant) + 0.002 * noise.sample()
        })
        .collect()
}

/// Digital silence.
pub fn silence(seconds: f32, rate: u32) -> Vec<f32> {
    vec![0.0; (seconds * rate as f32) as usize]
}
