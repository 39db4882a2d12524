"""Audio to encoder input, exactly as the product does it at run time.

A token is 320 samples (20 ms); frame i of 25 fps is samples 640 i … 640 (i + 1).
For frames that end before frame g the encoder sees a window of 250 tokens whose
audio ends at e = 640 g + 1920 and is zero after that.  The log-mel frames are those
of the utterance (absolute positions), not of the cut-out window, and the maximum
for the clamp is that of everything heard so far.

The mel bank and the scaling are Whisper's.  Everything is computed in float32.
"""

import functools

import numpy as np
import torch

RATE = 16000
HOP, N_FFT, MELS = 160, 400, 80
TOKEN, FRAME = 320, 640
TOKENS, MEL_FRAMES = 250, 500
WINDOW = TOKENS * TOKEN
LOOKAHEAD = 1920
CONTEXT_TOKENS = 10
FLOOR = -10.0  # log10 of the 1e-10 that silence is raised to


@functools.cache
def mel_bank():
    """Slaney mel filters [201, 80]: area-normalised triangles over 0…8000 Hz."""
    step, logstep = 200.0 / 3, np.log(6.4) / 27
    top = 15 + np.log(8000 / 1000) / logstep
    mels = np.linspace(0, top, MELS + 2)
    edges = np.where(mels < 15, mels * step, 1000 * np.exp(logstep * (mels - 15)))
    bins = np.arange(N_FFT // 2 + 1) * (RATE / N_FFT)
    rise = (bins[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[None, 2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))
    return bank.astype(np.float32)


@functools.cache
def _tensors():
    return torch.hann_window(N_FFT, periodic=True), torch.from_numpy(mel_bank().T.copy())


def log10_mel(samples):
    """log10-mel [80, frames] of samples; frame m is centred on sample 160 m.

    Reflected at the start, zeros after the end; enough frames that the last one
    still touches a sample.
    """
    x = torch.as_tensor(np.asarray(samples, np.float32))
    head = torch.flip(x[1:201], [0]) if len(x) > 200 else torch.zeros(200)
    count = (len(x) + 199) // HOP + 1
    x = torch.cat([head, x, torch.zeros(N_FFT)])
    window, bank = _tensors()
    frames = x.unfold(0, N_FFT, HOP)[:count] * window
    spectrum = torch.fft.rfft(frames)
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.log10(torch.clamp(bank @ power.T, min=1e-10))


def scale(log10, maximum):
    return (torch.clamp(log10, min=max(maximum - 8.0, FLOOR)) + 4.0) / 4.0


def window_start(end):
    """First sample of the window that ends at `end`: rounded up to a whole frame."""
    return max(0, -(-(end - WINDOW) // FRAME) * FRAME)


class Utterance:
    """Log-mel of an utterance, from which any window is cut at small cost."""

    def __init__(self, audio16k):
        audio = np.asarray(audio16k)
        if audio.dtype == np.int16:
            audio = audio.astype(np.float32) / 32768
        self.audio = audio.astype(np.float32)
        self._mel = log10_mel(self.audio)
        self._so_far = torch.cummax(self._mel.amax(0), 0).values

    def window(self, end):
        """(scaled mel [80, 500], first token) for audio that ends at sample `end`."""
        end_audio = min(end, len(self.audio))
        first = window_start(end)
        # Frames up to m have no sample at or after `end`; the few after it are made anew.
        whole = min(max(0, (end_audio - 200) // HOP + 1), self._mel.shape[1])
        if end_audio == len(self.audio):
            whole = self._mel.shape[1]
        tail = None
        if whole < self._mel.shape[1]:
            base = max(0, whole - 4)
            piece = self.audio[max(0, base * HOP - 200) : end_audio]
            if base == 0:
                tail = log10_mel(piece)[:, whole:]
            else:
                # Without reflection: the piece begins 200 samples before frame `base`.
                x = torch.cat([torch.from_numpy(piece), torch.zeros(N_FFT)])
                window, bank = _tensors()
                count = (end_audio + 199) // HOP + 1 - base
                f = torch.fft.rfft(x.unfold(0, N_FFT, HOP)[:count] * window)
                power = f.real.square() + f.imag.square()
                tail = torch.log10(torch.clamp(bank @ power.T, min=1e-10))[:, whole - base :]
        maximum = float(self._so_far[whole - 1]) if whole else FLOOR
        if tail is not None and tail.shape[1]:
            maximum = max(maximum, float(tail.max()))
        out = torch.full((MELS, MEL_FRAMES), FLOOR)
        m0 = first // HOP
        part = self._mel[:, m0:whole][:, :MEL_FRAMES]
        out[:, : part.shape[1]] = part
        if tail is not None:
            at = whole - m0
            room = min(tail.shape[1], MEL_FRAMES - at)
            if room > 0:
                out[:, at : at + room] = tail[:, :room]
        return scale(out, maximum), first // TOKEN


def encoder_window(audio16k, frame_group_end):
    """(mel [80, 500], first token) for the group of frames that ends before `frame_group_end`.

    `audio16k`: samples of the utterance, or an `Utterance` when many windows are cut.
    """
    source = audio16k if isinstance(audio16k, Utterance) else Utterance(audio16k)
    return source.window(FRAME * frame_group_end + LOOKAHEAD)


def context_for_frame(states, i, first_token):
    """Context [50, 128] of frame i, without positional encoding.

    `states`: stacked hidden states [250, 5, 128] of the window that starts at
    `first_token`.  Tokens before the utterance are zero rows.
    """
    out = states.new_zeros(CONTEXT_TOKENS, *states.shape[1:])
    a = 2 * i - 4
    lo = max(a, 0)
    out[lo - a :] = states[lo - first_token : a + CONTEXT_TOKENS - first_token]
    return out.reshape(-1, states.shape[-1])


@torch.no_grad()
def all_contexts(encoder, audio16k, group=2, batch=16):
    """Contexts [frames, 50, 128] of a whole utterance as the product computes them.

    `encoder(mel [b, 80, 500])` must return stacked states [b, 250, 5, 128].
    """
    source = audio16k if isinstance(audio16k, Utterance) else Utterance(audio16k)
    frames = len(source.audio) // FRAME
    ends = [min(g + group, frames) for g in range(0, frames, group)]
    out = []
    for k in range(0, len(ends), batch):
        windows = [encoder_window(source, g) for g in ends[k : k + batch]]
        states = encoder(torch.stack([w[0] for w in windows]))
        for g, (_, first), s in zip(ends[k : k + batch], windows, states):
            start = (g - 1) // group * group
            out += [context_for_frame(s, i, first) for i in range(start, g)]
    return torch.stack(out)


def _check():
    """Known values of Whisper's log-mel, and cut windows against the plain computation."""
    bank = mel_bank()
    assert abs(bank[1, 0] - 0.0248625940) < 1e-8 and abs(bank[2, 1] - 0.0228717721) < 1e-8
    assert abs(bank[:, 40].max() - 0.0147355657) < 1e-8 and abs(bank[:, 79].max() - 0.0031647117) < 1e-8
    assert np.count_nonzero(bank) == 391
    x = np.zeros(480000, np.float32)
    x[:16000] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    mel = log10_mel(x)[:, :3000]
    top = float(mel.max())
    assert abs(top - 1.7528150710) < 1e-5
    s = scale(mel, top)
    for (m, t), want in {
        (11, 50): 1.438204, (10, 50): 1.348738, (12, 50): 1.293523, (40, 50): -0.561796, (79, 50): -0.561796,
        (0, 1500): -0.561796, (0, 0): 0.983279, (11, 99): 1.436953, (11, 100): 1.292922, (11, 101): 0.351053,
    }.items():
        assert abs(float(s[m, t]) - want) < 2e-5, (m, t, float(s[m, t]), want)
    assert torch.all(encoder_window(np.zeros(40000, np.float32), 5)[0] == -1.5)
    rng = np.random.default_rng(0)
    noise = (rng.normal(0, 0.1, 200001) * np.linspace(0.1, 1, 200001)).astype(np.float32)
    source = Utterance(noise)
    for g in (1, 2, 17, 118, 122, 123, 200, 307, 312):
        end = FRAME * g + LOOKAHEAD
        cut = noise.copy()
        cut[end:] = 0
        cut = np.concatenate([cut, np.zeros(WINDOW, np.float32)])
        full = log10_mel(cut)
        got, first = encoder_window(source, g)
        m0 = window_start(end) // HOP
        heard = full[:, : end // HOP + 3]
        want = scale(full[:, m0 : m0 + MEL_FRAMES], float(heard.max()))
        assert first == m0 // 2 and got.shape == want.shape
        assert float((got - want).abs().max()) < 1e-4, (g, float((got - want).abs().max()))
    print("features agree with the reference values")


if __name__ == "__main__":
    _check()
