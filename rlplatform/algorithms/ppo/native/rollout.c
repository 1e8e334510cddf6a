/* What is done to every step of a rollout: normalisers with running statistics, and advantages.
   The same mathematics as normalize.py and advantages.py, which are the reference. */
#include <math.h>
#include <stdint.h>

#define FEATURES 16 /* looked at together */

typedef struct {
  double *mean, *var; /* [d] */
  double count;
} Moments;

/* Takes rows [n, d] of floats into the moments, those with keep[r] only where keep is given. */
static void add_rows(Moments *m, const float *rows, const uint8_t *keep, int64_t n, int64_t d) {
  int64_t kept = 0;
  for (int64_t r = 0; r < n; r++) kept += !keep || keep[r];
  if (!kept) return;
  const double total = m->count + kept, weight = kept / total, old = m->count / total;
  for (int64_t start = 0; start < d; start += FEATURES) {
    const int64_t width = d - start < FEATURES ? d - start : FEATURES;
    double mean[FEATURES] = {0}, var[FEATURES] = {0};
    for (int64_t r = 0; r < n; r++)
      if (!keep || keep[r])
        for (int64_t j = 0; j < width; j++) mean[j] += rows[r * d + start + j];
    for (int64_t j = 0; j < width; j++) mean[j] /= kept;
    for (int64_t r = 0; r < n; r++)
      if (!keep || keep[r])
        for (int64_t j = 0; j < width; j++) {
          const double e = rows[r * d + start + j] - mean[j];
          var[j] += e * e;
        }
    for (int64_t j = 0; j < width; j++) {
      double *was = m->mean + start + j, *spread = m->var + start + j;
      const double delta = mean[j] - *was;
      *spread += weight * (var[j] / kept - *spread + delta * delta * old);
      *was += weight * delta;
    }
  }
  m->count = total;
}

/* Updates the moments where asked to, and writes clip((obs - mean) / sqrt(var + epsilon)) to out [n, d]. */
void ppo_normalize(Moments *m, const float *obs, const uint8_t *keep, int32_t update, int64_t n, int64_t d, double epsilon,
                   float clip, float *out) {
  if (update) add_rows(m, obs, keep, n, d);
  for (int64_t start = 0; start < d; start += FEATURES) {
    const int64_t width = d - start < FEATURES ? d - start : FEATURES;
    float mean[FEATURES], scale[FEATURES];
    for (int64_t j = 0; j < width; j++) {
      mean[j] = (float)m->mean[start + j];
      scale[j] = (float)(1.0 / sqrt(m->var[start + j] + epsilon));
    }
    for (int64_t r = 0; r < n; r++)
      for (int64_t j = 0; j < width; j++) {
        float x = (obs[r * d + start + j] - mean[j]) * scale[j];
        x = x > clip ? clip : x;
        out[r * d + start + j] = x < -clip ? -clip : x;
      }
  }
}

/* Advances the running returns [n] by one step's rewards, takes those of valid rows into the moments, and writes
   clip(reward / sqrt(var + epsilon)) to out [n]. Returns of environments that are done start again. */
void ppo_normalize_rewards(Moments *m, const double *rewards, const uint8_t *done, const uint8_t *valid, double *returns, int64_t n,
                           double gamma, double epsilon, float clip, float *out) {
  double mean = 0, var = 0;
  int64_t kept = 0;
  for (int64_t r = 0; r < n; r++) {
    returns[r] = gamma * returns[r] + rewards[r];
    if (!valid || valid[r]) mean += returns[r], kept++;
  }
  if (kept) {
    mean /= kept;
    for (int64_t r = 0; r < n; r++)
      if (!valid || valid[r]) var += (returns[r] - mean) * (returns[r] - mean);
    const double total = m->count + kept, delta = mean - *m->mean;
    *m->var += kept / total * (var / kept - *m->var + delta * delta * (m->count / total));
    *m->mean += kept / total * delta;
    m->count = total;
  }
  const float scale = (float)(1.0 / sqrt(*m->var + epsilon));
  for (int64_t r = 0; r < n; r++) {
    float x = (float)rewards[r] * scale;
    x = x > clip ? clip : x;
    out[r] = x < -clip ? -clip : x;
    if (done[r]) returns[r] = 0;
  }
}

/* Generalised advantage estimation, all arrays [steps, envs]. */
void ppo_gae(const float *rewards, const float *values, const float *next_values, const uint8_t *terminated, const uint8_t *truncated,
             int64_t steps, int64_t envs, float gamma, float decay, float *advantages) {
  for (int64_t t = steps - 1; t >= 0; t--)
    for (int64_t b = 0; b < envs; b++) {
      const int64_t i = t * envs + b;
      const float ahead = terminated[i] ? 0.f : gamma * next_values[i];
      const float carried = t == steps - 1 || terminated[i] || truncated[i] ? 0.f : decay * advantages[i + envs];
      advantages[i] = ahead + rewards[i] - values[i] + carried;
    }
}
