"""A critic that tells the teacher's drawings from the student's, patch by patch (adversarial training, hinge loss).

A loss that measures differences rewards what lies between two answers: where the student is unsure on which side of a
shade or a line a pixel lies, a soft slope costs least. The critic sees soft slopes and asks for a decision. It is not
shipped.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

ROWS = 4                 # of a batch that it looks at: it would cost as much as the student otherwise
WARM, FULL = 200, 800    # steps: from when, and when fully, the student listens
SIZES = (1, 2)           # by how much the picture is shrunk for it
ALIKE = 4.0              # weight of the difference of features against that of the verdict


class Patches(nn.Module):
    """Picture the student saw and drawing, [B,6,H,W], to a verdict a patch of 38 px and style, [B,S,H/8,W/8]."""

    def __init__(self, styles: int):
        super().__init__()
        widths = (6, 24, 48, 96)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:]))
        self.verdict = nn.Conv2d(widths[-1], styles, 3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.verdict(x), features


class Critic(nn.Module):
    """Looks at lines, and at half the size at whole eyes and mouths."""

    def __init__(self, styles: int):
        super().__init__()
        self.sizes = nn.ModuleList(Patches(styles) for _ in SIZES)

    def forward(self, photo: Tensor, drawing: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """A verdict a patch for each of the sizes, and all features."""
        pair = torch.cat([photo, drawing], 1) * 2 - 1
        seen = [patches(F.avg_pool2d(pair, size) if size > 1 else pair) for patches, size in zip(self.sizes, SIZES)]
        return [verdict for verdict, _ in seen], [f for _, features in seen for f in features]


class Judge:
    """The critic with its optimiser. `right`: how often it finds the teacher's of two drawings, lately."""

    def __init__(self, styles: int, device: str, rate: float = 1e-3):
        self.critic = Critic(styles).to(device, memory_format=torch.channels_last)
        self.opt = torch.optim.Adam(self.critic.parameters(), rate, betas=(0.5, 0.95))
        self.device, self.right = device, 0.5

    def state(self) -> dict:
        return {"critic": self.critic.state_dict(), "opt": self.opt.state_dict()}

    def load(self, state: dict) -> None:
        self.critic.load_state_dict(state["critic"])
        self.opt.load_state_dict(state["opt"])

    def push(self, photo: Tensor, style: Tensor, picture: Tensor, target: Tensor, step: int, share: float) -> None:
        """Learns from one batch, then adds to `picture.grad` which way each pixel should move to look drawn: in the rows it
        looks at `share` of the size of the gradient that is there."""
        plain = style.flatten(2)
        rows = ((plain.amax(2) - plain.amin(2)).amax(1) < 1e-6) & (plain[:, :, 0].amax(1) > 0.999)    # one style everywhere
        rows = rows.nonzero()[:, 0][:ROWS]
        if len(rows) == 0:
            return
        pick = plain[rows, :, 0].argmax(1)
        seen, drawn = photo[rows], target[rows]
        mine = picture.detach()[rows].requires_grad_()
        of = lambda verdicts: [verdict.float()[torch.arange(len(rows)), pick] for verdict in verdicts]
        self.opt.zero_grad()
        with torch.autocast(self.device, torch.bfloat16):
            real, features = self.critic(seen, drawn)
            fake, _ = self.critic(seen, mine.detach())
        pairs = list(zip(of(real), of(fake)))
        sum(F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in pairs).backward()
        self.opt.step()
        right = sum((a.mean((1, 2)) > b.mean((1, 2))).float().mean().item() for a, b in pairs) / len(pairs)
        self.right = 0.99 * self.right + 0.01 * right
        share *= min(1.0, max(0.0, (step - WARM) / (FULL - WARM)))
        if share == 0:
            return
        self.critic.requires_grad_(False)
        with torch.autocast(self.device, torch.bfloat16):
            verdict, own = self.critic(seen, mine)
        alike = sum((a.float() - b.detach().float()).abs().mean() for a, b in zip(own, features))
        (ALIKE * alike - sum(v.mean() for v in of(verdict))).backward()
        self.critic.requires_grad_(True)
        there = picture.grad[rows]
        picture.grad[rows] = there + share * there.norm() / (mine.grad.norm() + 1e-12) * mine.grad
