"""The Whisper encoder, small, in plain torch with Hugging Face names.

Differences from the library's class: it returns all hidden states stacked (as the
product uses them), it can run on a slice of the positions (cheap crops early in
training), and it starts with attention that looks at nearby tokens, because speech
is local and learning that from random projections costs most of a short training.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

CONFIG = {
    "architectures": ["WhisperModel"],
    "model_type": "whisper",
    "d_model": 128,
    "encoder_layers": 4,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 512,
    "num_mel_bins": 80,
    "max_source_positions": 250,
    "activation_function": "gelu",
    "scale_embedding": False,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    # The decoder is unused; its fields keep the library's model loadable and small.
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 32,
    "vocab_size": 8,
    "max_target_positions": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
    "torch_dtype": "float32",
}
D, HEADS, LAYERS = CONFIG["d_model"], CONFIG["encoder_attention_heads"], CONFIG["encoder_layers"]


def sinusoids(length, channels):
    rate = math.log(10000) / (channels // 2 - 1)
    angle = torch.arange(length)[:, None] * torch.exp(-rate * torch.arange(channels // 2))[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.k_proj = nn.Linear(D, D, bias=False)
        self.v_proj = nn.Linear(D, D)
        self.q_proj = nn.Linear(D, D)
        self.out_proj = nn.Linear(D, D)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (
            p(x).view(b, t, HEADS, D // HEADS).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(y.transpose(1, 2).reshape(b, t, D))

    @torch.no_grad()
    def look_nearby(self, offsets, sharpness):
        """Head h attends around token + offsets[h]: q and k read the fast sinusoids.

        A sine and cosine of the same frequency in q and k multiply to the cosine of
        the distance; sixteen of them make a peak at zero, a rotation of q moves it.
        """
        half = D // 2
        pairs = D // HEADS // 2
        rate = math.log(10000) / (half - 1)
        for h, offset in enumerate(offsets):
            q = torch.zeros(D // HEADS, D)
            k = torch.zeros(D // HEADS, D)
            for j in range(pairs):
                w = math.exp(-rate * j)
                c, s = math.cos(w * offset), math.sin(w * offset)
                k[2 * j, j] = 1.0
                k[2 * j + 1, half + j] = 1.0
                # sin(w(p + o)) and cos(w(p + o)) from sin(wp), cos(wp)
                q[2 * j, j], q[2 * j, half + j] = c, s
                q[2 * j + 1, half + j], q[2 * j + 1, j] = c, -s
            rows = slice(h * D // HEADS, (h + 1) * D // HEADS)
            self.q_proj.weight[rows] = sharpness * q + 0.3 * self.q_proj.weight[rows]
            self.k_proj.weight[rows] = sharpness * k + 0.3 * self.k_proj.weight[rows]


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.self_attn_layer_norm = nn.LayerNorm(D)
        self.fc1 = nn.Linear(D, CONFIG["encoder_ffn_dim"])
        self.fc2 = nn.Linear(CONFIG["encoder_ffn_dim"], D)
        self.final_layer_norm = nn.LayerNorm(D)

    def forward(self, x):
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(CONFIG["num_mel_bins"], D, 3, padding=1)
        self.conv2 = nn.Conv1d(D, D, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(CONFIG["max_source_positions"], D)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.layer_norm = nn.LayerNorm(D)
        self.embed_positions.weight.data.copy_(sinusoids(CONFIG["max_source_positions"], D))
        self.embed_positions.requires_grad_(False)
        for i, layer in enumerate(self.layers):
            reach = (1, 2, 3, 5)[i]
            layer.self_attn.look_nearby([0, -reach, reach, 2 * reach if i % 2 else -2 * reach], 1.1)
            with torch.no_grad():
                layer.fc2.weight *= 0.5
                layer.self_attn.out_proj.weight *= 0.7

    def forward(self, mel, first=0):
        """Stacked hidden states [b, tokens, 5, 128] of mel [b, 80, 2·tokens].

        `first` is the position of the first token: 0, or one per batch item.
        """
        x = F.gelu(self.conv1(mel))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        first = torch.as_tensor(first).view(-1, 1)
        x = x + self.embed_positions(first + torch.arange(x.shape[1])[None])
        states = [x]
        for layer in self.layers:
            x = layer(x)
            states.append(x)
        states[-1] = self.layer_norm(x)
        return torch.stack(states, 2)


def save(folder, encoder):
    """config.json and model.safetensors, readable by transformers' WhisperModel."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    tensors = {"encoder." + k: v.detach().contiguous().clone() for k, v in encoder.state_dict().items()}
    part = folder / "model.safetensors.part"
    save_file(tensors, part, {"format": "pt"})
    part.rename(folder / "model.safetensors")


def load(folder):
    tensors = load_file(Path(folder) / "model.safetensors")
    encoder = Encoder()
    encoder.load_state_dict({k.removeprefix("encoder."): v.float() for k, v in tensors.items()})
    return encoder.eval()
