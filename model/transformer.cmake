# The network: weights, routing, encoder, question, and what is drawn from its logits.
set(KVASIR_MODEL_TRANSFORMER
  adapter.cc
  encoder.cc
  fingerprint.cc
  kv_cache.cc
  model.cc
  number_trie.cc
  question.cc
  raw_queries.cc
  repetition.cc
  router.cc
  sampler.cc
  stop_strings.cc
  token_check.cc
  transformer.cc
  weights.cc)
