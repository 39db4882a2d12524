"""Momentum with orthogonalised updates, for convolutions and linear layers; AdamW for the rest.

Steps are what a CPU is short of, and this learns in clearly fewer of them than AdamW alone. torch's own version iterates in
bfloat16, which is slow without the instructions for it; this one stays in float32 and groups equal shapes.
"""
import torch


def orthogonal(g, steps=5):
    """Newton-Schulz iteration: nearest to orthogonal of each matrix in [b,m,n], m <= n."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault((p.shape[0], p[0].numel()), []).append(p)
            for (m, n), ps in shapes.items():
                updates = []
                for p in ps:
                    buf = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buf.lerp_(p.grad, 1 - group["momentum"])
                    u = p.grad.lerp(buf, group["momentum"]).reshape(m, n)
                    updates.append(u.mT if m > n else u)
                # Root mean square of an update: 0.2 lr, as with Adam.
                size = group["lr"] * 0.2 * max(m, n) ** 0.5
                for p, u in zip(ps, orthogonal(torch.stack(updates))):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_((u.mT if m > n else u).reshape(p.shape), alpha=-size)


class Both:
    """Muon for the inner matrices of a model, AdamW for its ends, norms and biases; each group keeps its `top` rate."""

    def __init__(self, *models_and_rates):
        inner, outer = [], []
        for model, rate in models_and_rates:
            named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
            chosen = [p for n, p in named if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 8 and not any(s in n for s in ("conv_in", "conv_out", "quant"))]
            ids = {id(p) for p in chosen}
            inner.append({"params": chosen, "lr": rate, "top": rate})
            outer.append({"params": [p for _, p in named if id(p) not in ids], "lr": rate, "top": rate})
        self.parts = [Muon(inner, lr=1e-3, weight_decay=0.002), torch.optim.AdamW(outer, lr=1e-3, betas=(0.9, 0.98), weight_decay=1e-4)]

    def rate(self, share):
        for part in self.parts:
            for g in part.param_groups:
                g["lr"] = g["top"] * share

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self):
        for part in self.parts:
            part.step()

    def state_dict(self):
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states):
        """Momenta only: the rates stay those of this run."""
        for part, state in zip(self.parts, states):
            tops = [g["top"] for g in part.param_groups]
            part.load_state_dict(state)
            for g, top in zip(part.param_groups, tops):
                g["top"] = top
