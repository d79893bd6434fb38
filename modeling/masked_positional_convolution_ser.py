"""The positional convolutions of data2vec-audio without padding that leaks from one of them into the next."""

from __future__ import annotations

import torch
from transformers.models.data2vec.modeling_data2vec_audio import Data2VecAudioPositionalConvEmbedding


class MaskedPositionalConvEmbedding(Data2VecAudioPositionalConvEmbedding):
    """Five convolutions with layer norm between them; transformers sets the padding to zero before the first only.

    A clip alone is surrounded by zeros in each of them. In a batch the first one already fills the padding: its bias
    and layer norm make what was zero as large as audio.
    """

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """`(batch, frames, features)` -> the same shape.

        The padding is recognized by its frames, which transformers' encoder has set to zero: of a projection with a
        bias no frame of a clip is. If one were, its embedding would still not depend on the batch.
        """
        inside = hidden_states.ne(0).any(dim=2).unsqueeze(1)
        embeddings = hidden_states.transpose(1, 2)
        for layer in self.layers:
            embeddings = layer(embeddings) * inside
        return embeddings.transpose(1, 2)
