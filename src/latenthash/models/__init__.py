"""Models that turn features into a latent z; conf/model and conf/finetuning name them."""
