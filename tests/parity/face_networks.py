"""BiSeNet and S3FD as PyTorch modules, written from their description, at any width.

The names of parameters and buffers are those of the published checkpoints, so that `load_state_dict(strict=True)` is the proof
of the structure. At `width=1` the shapes are the published ones as well; a smaller width shrinks every inner layer alike.
"""
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 19
STRIDES = (4, 8, 16, 32, 64, 128)


def scaled(channels, width):
    """`channels` of the published network at a width between 0 and 1, never less than 2."""
    return max(2, round(channels * width))


class ConvBnRelu(nn.Module):
    def __init__(self, entering, leaving, size=3):
        super().__init__()
        self.conv = nn.Conv2d(entering, leaving, size, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(leaving)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class BasicBlock(nn.Module):
    def __init__(self, entering, leaving, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.downsample = None
        if stride != 1 or entering != leaving:
            self.downsample = nn.Sequential(nn.Conv2d(entering, leaving, 1, stride, bias=False), nn.BatchNorm2d(leaving))

    def forward(self, x):
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """The pictures after 1/8, 1/16 and 1/32."""

    def __init__(self, width):
        super().__init__()
        c = [scaled(n, width) for n in (64, 64, 128, 256, 512)]
        self.conv1 = nn.Conv2d(3, c[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(c[0])
        for i, stride in enumerate((1, 2, 2, 2), 1):
            self.add_module(f"layer{i}", nn.Sequential(BasicBlock(c[i - 1], c[i], stride), BasicBlock(c[i], c[i], 1)))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class AttentionRefinement(nn.Module):
    def __init__(self, entering, leaving):
        super().__init__()
        self.conv = ConvBnRelu(entering, leaving)
        self.conv_atten = nn.Conv2d(leaving, leaving, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(leaving)

    def forward(self, x):
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))))


class ContextPath(nn.Module):
    def __init__(self, width):
        super().__init__()
        inner, middle, deep = (scaled(n, width) for n in (128, 256, 512))
        self.resnet = ResNet18(width)
        self.arm16 = AttentionRefinement(middle, inner)
        self.arm32 = AttentionRefinement(deep, inner)
        self.conv_head32 = ConvBnRelu(inner, inner)
        self.conv_head16 = ConvBnRelu(inner, inner)
        self.conv_avg = ConvBnRelu(deep, inner, 1)

    def forward(self, x):
        eighth, sixteenth, last = self.resnet(x)
        # One value per channel, so "nearest to the size" is a broadcast.
        last = self.arm32(last) + self.conv_avg(last.mean((2, 3), keepdim=True))
        last = self.conv_head32(F.interpolate(last, size=sixteenth.shape[2:], mode="nearest"))
        middle = self.arm16(sixteenth) + last
        return eighth, self.conv_head16(F.interpolate(middle, size=eighth.shape[2:], mode="nearest"))


class FeatureFusion(nn.Module):
    def __init__(self, entering, leaving):
        super().__init__()
        self.convblk = ConvBnRelu(entering, leaving, 1)
        self.conv1 = nn.Conv2d(leaving, max(1, leaving // 4), 1, bias=False)
        self.conv2 = nn.Conv2d(max(1, leaving // 4), leaving, 1, bias=False)

    def forward(self, x):
        x = self.convblk(x)
        weight = torch.sigmoid(self.conv2(F.relu(self.conv1(x.mean((2, 3), keepdim=True)))))
        return x + x * weight


class Head(nn.Module):
    def __init__(self, entering, inner):
        super().__init__()
        self.conv = ConvBnRelu(entering, inner)
        self.conv_out = nn.Conv2d(inner, CLASSES, 1, bias=False)

    def forward(self, x):
        return self.conv_out(self.conv(x))


class BiSeNet(nn.Module):
    """Normalised RGB [B, 3, H, W], sides multiples of 32 → logits [B, 19, H, W]."""

    def __init__(self, width=1.0):
        super().__init__()
        inner, wide, narrow = (scaled(n, width) for n in (128, 256, 64))
        self.cp = ContextPath(width)
        self.ffm = FeatureFusion(2 * inner, wide)
        self.conv_out = Head(wide, wide)
        # For training; in the checkpoint, not in the result.
        self.conv_out16 = Head(inner, narrow)
        self.conv_out32 = Head(inner, narrow)

    def forward(self, x):
        eighth, context = self.cp(x)
        small = self.conv_out(self.ffm(torch.cat([eighth, context], 1)))
        return F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=True)


class L2Norm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        norm = x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10
        return x / norm * self.weight[:, None, None]


class S3FD(nn.Module):
    """RGB minus (104, 117, 123) [B, 3, H, W], any sides → six levels of (scores, boxes), neither softmaxed nor decoded.

    `scores` is [B, 2, h, w], at the first level [B, 4, h, w]; `boxes` is [B, 4, h, w].
    """

    STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    LEVELS = ("conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2")

    def __init__(self, width=1.0):
        super().__init__()

        def conv(name, entering, leaving, size=3, stride=1, padding=1):
            self.add_module(name, nn.Conv2d(entering, leaving, size, stride, padding))
            return leaving

        entering, level = 3, {}
        for stage, (channels, convs) in enumerate(self.STAGES, 1):
            for i in range(1, convs + 1):
                entering = conv(f"conv{stage}_{i}", entering, scaled(channels, width))
            level[f"conv{stage}_3_norm"] = entering
        entering = conv("fc6", entering, scaled(1024, width), 3, 1, 3)
        level["fc7"] = entering = conv("fc7", entering, scaled(1024, width), 1, 1, 0)
        entering = conv("conv6_1", entering, scaled(256, width), 1, 1, 0)
        level["conv6_2"] = entering = conv("conv6_2", entering, scaled(512, width), 3, 2, 1)
        entering = conv("conv7_1", entering, scaled(128, width), 1, 1, 0)
        level["conv7_2"] = conv("conv7_2", entering, scaled(256, width), 3, 2, 1)
        for name in self.LEVELS[:3]:
            self.add_module(name, L2Norm(level[name]))
        for name in self.LEVELS:
            conv(f"{name}_mbox_conf", level[name], 4 if name == self.LEVELS[0] else 2)
            conv(f"{name}_mbox_loc", level[name], 4)

    def forward(self, x):
        features = {}
        for stage, (_, convs) in enumerate(self.STAGES, 1):
            for i in range(1, convs + 1):
                x = F.relu(getattr(self, f"conv{stage}_{i}")(x))
            name = f"conv{stage}_3_norm"
            if name in self.LEVELS:
                features[name] = getattr(self, name)(x)
            x = F.max_pool2d(x, 2, 2)
        for name in ("fc6", "fc7", "conv6_1", "conv6_2", "conv7_1", "conv7_2"):
            x = features[name] = F.relu(getattr(self, name)(x))
        return [(getattr(self, f"{name}_mbox_conf")(features[name]), getattr(self, f"{name}_mbox_loc")(features[name]))
                for name in self.LEVELS]
