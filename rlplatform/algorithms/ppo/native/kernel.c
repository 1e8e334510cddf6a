/* One PPO minibatch of an MLP actor-critic: forward, loss, backward, global-norm clip and Adam; and the acting pass.

   The same mathematics as numpy_update.py, which is the reference. Parameters lie in one flat float32 buffer in the order of
   layout.py: weights [in, out] and biases of the policy tower, policy head, log_std, value tower, value head.
   No allocation, no static state: callers pass a workspace of ppo_workspace() floats, one per thread. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dense.h"

#define ROWS 64      /* rows that pass through the network together; their activations stay in the cache */
#if !defined(MAX_DEPTH) || !defined(MAX_OUTPUTS) || !defined(MAX_COMPONENTS)
#error "compile with -DMAX_DEPTH, -DMAX_OUTPUTS and -DMAX_COMPONENTS: c_library.py has the limits"
#endif

enum { CATEGORICAL = 0, GAUSSIAN = 1, SDE = 2 };
static const float SDE_EPSILON = 1e-6f, HALF_LOG_2PI = 0.918938533204672742f;

typedef struct {
  int32_t inputs, shared, relu, kind, outputs, components;
  int32_t depth[2], width[2][MAX_DEPTH]; /* of the policy tower and of the value tower */
  int32_t nvec[MAX_COMPONENTS];
} Net;

typedef struct {
  const float *obs; /* [N, inputs] */
  const void *actions; /* int64 [N, components] or float [N, outputs] */
  const float *logp, *advantages, *returns, *values; /* [N] */
} Batch;

typedef struct {
  float learning_rate, clip_range, clip_range_vf /* < 0: none */, ent_coef, vf_coef, max_grad_norm;
  float beta1, beta2, epsilon, kl_limit /* < 0: none */;
  int32_t normalize_advantage;
} Settings;

typedef struct { double policy, value, entropy, kl, clipped; } Stats;

typedef struct {
  long in, out, outp;
  const float *w, *b;       /* [in, outp], [outp]: in the flat buffer itself where out is a multiple of 16 */
  float *wt;                /* [out, inp]: the weight transposed, for the backward pass */
  float *gw, *gb;           /* gradients of w and b */
  float *flat_gw, *flat_gb; /* where they belong */
  float *h;                 /* [ROWS, outp]: activations */
} Layer;

typedef struct {
  long in, inp, out;
  const float *b;
  float *wt, *gwt;      /* [out, inp] */
  float *gw, *gb;       /* in the flat gradient */
} HeadLayer;

typedef struct {
  Layer layer[2][MAX_DEPTH];
  HeadLayer policy, value;
  const float *log_std;
  float *glog_std, *sde, *gsde; /* gSDE: exp(2 log_std) transposed, [outputs, inp], and its gradient */
  float *x, *da, *db;
  long xp;
} Plan;

/* -- the plan: where everything lies -------------------------------------------------------------------------------- */

static long tower_end(const Net *net, int tower) {
  return net->depth[tower] ? net->width[tower][net->depth[tower] - 1] : net->inputs;
}

/* Carves the workspace and points into params and gradient; with all null it only counts. Returns the floats carved. */
static long make_plan(const Net *net, const float *params, float *gradient, float *ws, Plan *plan) {
  long used = 0, at = 0, widest = 16;
#define CARVE(n) (used += PAD(n), ws ? ws + used - PAD(n) : 0)
#define PARAMETER(n) (at += (n), params ? params + at - (n) : 0)
#define GRADIENT(n) (gradient ? gradient + at - (n) : 0)
  plan->xp = PAD(net->inputs);
  for (int t = 0; t < 2; t++) {
    long in = net->inputs;
    if (t == 1 && net->shared) break;
    for (int l = 0; l < net->depth[t]; l++) {
      Layer *y = &plan->layer[t][l];
      y->in = in, y->out = net->width[t][l], y->outp = PAD(y->out);
      const int direct = y->out == y->outp;
      y->w = PARAMETER(in * y->out), y->flat_gw = GRADIENT(in * y->out);
      y->b = PARAMETER(y->out), y->flat_gb = GRADIENT(y->out);
      y->gw = y->flat_gw, y->gb = y->flat_gb;
      if (!direct) {
        float *w = CARVE(in * y->outp), *b = CARVE(y->outp);
        if (ws)
          for (long i = 0; i <= in; i++) {
            float *row = i < in ? w + i * y->outp : b;
            memcpy(row, (i < in ? y->w + i * y->out : y->b), y->out * sizeof(float));
            memset(row + y->out, 0, (y->outp - y->out) * sizeof(float));
          }
        y->w = w, y->b = b;
        y->gw = CARVE(in * y->outp), y->gb = CARVE(y->outp);
      }
      y->wt = l ? CARVE(y->out * PAD(in)) : 0;
      y->h = CARVE(ROWS * y->outp);
      if (y->outp > widest) widest = y->outp;
      in = y->out;
    }
    if (t == 0) {
      HeadLayer *p = &plan->policy;
      p->in = in, p->inp = PAD(in), p->out = net->outputs;
      const float *w = PARAMETER(in * p->out);
      p->gw = GRADIENT(in * p->out), p->wt = CARVE(p->out * p->inp), p->gwt = CARVE(p->out * p->inp);
      p->b = PARAMETER(p->out), p->gb = GRADIENT(p->out);
      if (ws) {
        memset(p->wt, 0, p->out * p->inp * sizeof(float));
        for (long i = 0; i < in; i++)
          for (long k = 0; k < p->out; k++) p->wt[k * p->inp + i] = w[i * p->out + k];
      }
      plan->log_std = 0;
      if (net->kind != CATEGORICAL) {
        const long n = net->kind == SDE ? in * p->out : p->out;
        plan->log_std = PARAMETER(n), plan->glog_std = GRADIENT(n);
        if (net->kind == SDE) {
          plan->sde = CARVE(p->out * p->inp), plan->gsde = CARVE(p->out * p->inp);
          if (ws) {
            memset(plan->sde, 0, p->out * p->inp * sizeof(float));
            for (long i = 0; i < in; i++)
              for (long k = 0; k < p->out; k++) plan->sde[k * p->inp + i] = expf(2.f * plan->log_std[i * p->out + k]);
          }
        }
      }
    }
  }
  HeadLayer *v = &plan->value;
  v->in = tower_end(net, !net->shared), v->inp = PAD(v->in), v->out = 1;
  const float *w = PARAMETER(v->in);
  v->gw = GRADIENT(v->in), v->wt = CARVE(v->inp), v->gwt = CARVE(v->inp);
  v->b = PARAMETER(1), v->gb = GRADIENT(1);
  if (ws) memset(v->wt, 0, v->inp * sizeof(float)), memcpy(v->wt, w, v->in * sizeof(float));
  if (plan->xp > widest) widest = plan->xp;
  plan->x = CARVE(ROWS * plan->xp), plan->da = CARVE(ROWS * widest), plan->db = CARVE(ROWS * widest);
  if (ws && plan->xp != net->inputs) memset(plan->x, 0, ROWS * plan->xp * sizeof(float)); /* rows are copied without their padding */
  return used;
}

int64_t ppo_workspace(const Net *net) {
  Plan plan;
  return make_plan(net, 0, 0, 0, &plan);
}

/* -- towers --------------------------------------------------------------------------------------------------------- */

/* Runs rows of plan->x through a tower; returns its last activations and their stride. */
static const float *forward(const Net *net, Plan *plan, int t, long rows, long *stride) {
  const float *h = plan->x;
  *stride = plan->xp;
  for (int l = 0; l < net->depth[t]; l++) {
    Layer *y = &plan->layer[t][l];
    product(h, *stride, 1, y->w, y->in, y->b, 0, y->h, rows, y->outp);
    activate(y->h, rows * y->outp, net->relu);
    h = y->h, *stride = y->outp;
  }
  return h;
}

/* plan->da holds the loss's gradient at the last activations; adds the gradients of the tower's parameters. */
static void backward(const Net *net, Plan *plan, int t, long rows) {
  float *d = plan->da, *other = plan->db;
  for (int l = net->depth[t] - 1; l >= 0; l--) {
    Layer *y = &plan->layer[t][l];
    const float *below = l ? plan->layer[t][l - 1].h : plan->x;
    const long stride = l ? plan->layer[t][l - 1].outp : plan->xp;
    times_derivative(d, y->h, rows * y->outp, net->relu);
    product(below, 1, stride, d, rows, y->gw, y->outp, y->gw, y->in, y->outp);
    for (long r = 0; r < rows; r++)
      for (long j = 0; j < y->outp; j++) y->gb[j] += d[r * y->outp + j];
    if (l) {
      product(d, y->outp, 1, y->wt, y->out, 0, 0, other, rows, stride);
      float *swap = d;
      d = other, other = swap;
    }
  }
}

/* One row of a head: gradients of its weights, and d += what flows down. d may be null. */
INLINE void head_backward(HeadLayer *y, const float *h, const float *dz, float *d, int first) {
  for (long k = 0; k < y->out; k++) {
    const float z = dz[k];
    float *g = y->gwt + k * y->inp;
    const float *w = y->wt + k * y->inp;
    for (long j = 0; j < y->inp; j++) g[j] += z * h[j];
    if (d) {
      if (k == 0 && first)
        for (long j = 0; j < y->inp; j++) d[j] = z * w[j];
      else
        for (long j = 0; j < y->inp; j++) d[j] += z * w[j];
    }
    y->gb[k] += z;
  }
}

static void load_rows(Plan *plan, const Net *net, const float *obs, const int64_t *index, long rows) {
  for (long r = 0; r < rows; r++) {
    float *x = plan->x + r * plan->xp;
    memcpy(x, obs + (index ? index[r] : r) * net->inputs, net->inputs * sizeof(float));
  }
}

/* Turns one component's logits into log-probabilities; fills p; returns the entropy. */
INLINE float log_softmax(float *z, float *p, long n) {
  float top = z[0], sum = 0, entropy = 0;
  for (long k = 1; k < n; k++) top = z[k] > top ? z[k] : top;
  for (long k = 0; k < n; k++) sum += p[k] = expf(z[k] - top);
  const float shift = top + logf(sum), scale = 1.f / sum;
  for (long k = 0; k < n; k++) p[k] *= scale, z[k] -= shift, entropy -= p[k] * z[k];
  return entropy;
}

/* -- the loss ------------------------------------------------------------------------------------------------------- */

typedef struct { float inverse, mean, scale; } Normal;

INLINE void policy_row(const Net *net, Plan *plan, const Batch *batch, const Settings *set, Normal nm, int64_t i, const float *h,
                       float *d, Stats *stats) {
  HeadLayer *y = &plan->policy;
  float z[MAX_OUTPUTS], p[MAX_OUTPUTS], dz[MAX_OUTPUTS], var[MAX_OUTPUTS];
  float logp = 0, entropy = 0;
  for (long k = 0; k < y->out; k++) z[k] = y->b[k] + dot(h, y->wt + k * y->inp, y->inp);
  const int64_t *chosen = (const int64_t *)batch->actions + i * net->components;
  const float *action = (const float *)batch->actions + i * net->outputs;
  if (net->kind == CATEGORICAL) {
    for (long c = 0, o = 0; c < net->components; o += net->nvec[c++]) {
      const float e = log_softmax(z + o, p + o, net->nvec[c]);
      for (long k = 0; k < net->nvec[c]; k++) dz[o + k] = set->ent_coef * nm.inverse * p[o + k] * (z[o + k] + e);
      entropy += e, logp += z[o + chosen[c]];
    }
  } else {
    for (long k = 0; k < y->out; k++) {
      if (net->kind == SDE) {
        float v = SDE_EPSILON;
        const float *s = plan->sde + k * y->inp;
        vec sum = {0};
        for (long j = 0; j < y->inp; j += LANES) {
          const vec hv = *(const vec *)(h + j);
          sum += hv * hv * *(const vec *)(s + j);
        }
        for (int j = 0; j < LANES; j++) v += sum[j];
        var[k] = v;
      } else
        var[k] = expf(2.f * plan->log_std[k]);
      const float log_scale = 0.5f * logf(var[k]), e = action[k] - z[k];
      p[k] = e / var[k], dz[k] = p[k] * e; /* d logp / d mean, and the squared deviation in standard deviations */
      logp -= 0.5f * dz[k] + log_scale + HALF_LOG_2PI;
      entropy += log_scale + 0.5f + HALF_LOG_2PI;
    }
  }
  const float advantage = (batch->advantages[i] - nm.mean) * nm.scale, log_ratio = logp - batch->logp[i];
  const float ratio = expf(log_ratio), low = 1.f - set->clip_range, high = 1.f + set->clip_range;
  const float plain = advantage * ratio, clamped = advantage * (ratio < low ? low : ratio > high ? high : ratio);
  const float dlogp = plain <= clamped ? -plain * nm.inverse : 0.f;
  stats->policy -= plain < clamped ? plain : clamped;
  stats->entropy -= entropy;
  stats->kl += (ratio - 1.f) - log_ratio;
  stats->clipped += fabsf(ratio - 1.f) > set->clip_range;
  if (net->kind == CATEGORICAL) {
    for (long k = 0; k < y->out; k++) dz[k] -= dlogp * p[k];
    for (long c = 0, o = 0; c < net->components; o += net->nvec[c++]) dz[o + chosen[c]] += dlogp;
  } else {
    for (long k = 0; k < y->out; k++) {
      const float dscale = dlogp * (dz[k] - 1.f) - set->ent_coef * nm.inverse; /* d loss / d log(std) of this row */
      if (net->kind == SDE) {
        const float dvar = 0.5f * dscale / var[k];
        float *g = plan->gsde + k * y->inp;
        for (long j = 0; j < y->inp; j++) g[j] += dvar * h[j] * h[j];
      } else
        plan->glog_std[k] += dscale;
      dz[k] = dlogp * p[k];
    }
  }
  head_backward(y, h, dz, d, 1);
}

INLINE void value_row(Plan *plan, const Batch *batch, const Settings *set, Normal nm, int64_t i, const float *h, float *d, int first,
                      Stats *stats) {
  HeadLayer *y = &plan->value;
  const float value = y->b[0] + dot(h, y->wt, y->inp), moved = value - batch->values[i], most = set->clip_range_vf;
  const int cut = most >= 0 && (moved > most || moved < -most);
  const float error = (cut ? batch->values[i] + (moved > 0 ? most : -most) : value) - batch->returns[i];
  stats->value += error * error;
  const float dv = cut ? 0.f : 2.f * set->vf_coef * nm.inverse * error;
  head_backward(y, h, &dv, d, first);
}

static void clear_gradient(const Net *net, Plan *plan, float *gradient, int64_t size) {
  memset(gradient, 0, (size + 1) * sizeof(float));
  memset(plan->policy.gwt, 0, plan->policy.out * plan->policy.inp * sizeof(float));
  memset(plan->value.gwt, 0, plan->value.inp * sizeof(float));
  if (net->kind == SDE) memset(plan->gsde, 0, plan->policy.out * plan->policy.inp * sizeof(float));
  for (int t = 0; t < 2 - net->shared; t++)
    for (int l = 0; l < net->depth[t]; l++) {
      Layer *y = &plan->layer[t][l];
      if (y->gw != y->flat_gw) memset(y->gw, 0, y->in * y->outp * sizeof(float)), memset(y->gb, 0, y->outp * sizeof(float));
      if (!l) continue;
      const long inp = PAD(y->in);
      if (inp != y->in) memset(y->wt, 0, y->out * inp * sizeof(float));
      transpose(y->w, y->outp, y->in, y->out, y->wt, inp);
    }
}

static void collect_gradient(const Net *net, Plan *plan) {
  HeadLayer *p = &plan->policy;
  for (long i = 0; i < p->in; i++)
    for (long k = 0; k < p->out; k++) p->gw[i * p->out + k] = p->gwt[k * p->inp + i];
  memcpy(plan->value.gw, plan->value.gwt, plan->value.in * sizeof(float));
  if (net->kind == SDE)
    for (long i = 0; i < p->in; i++)
      for (long k = 0; k < p->out; k++)
        plan->glog_std[i * p->out + k] = 2.f * plan->sde[k * p->inp + i] * plan->gsde[k * p->inp + i];
  for (int t = 0; t < 2 - net->shared; t++)
    for (int l = 0; l < net->depth[t]; l++) {
      Layer *y = &plan->layer[t][l];
      if (y->gw == y->flat_gw) continue;
      for (long i = 0; i < y->in; i++) memcpy(y->flat_gw + i * y->out, y->gw + i * y->outp, y->out * sizeof(float));
      memcpy(y->flat_gb, y->gb, y->out * sizeof(float));
    }
}

/* The gradient [size + 1] of the loss over n rows; its last element is the approximate KL divergence. */
void ppo_backward(const Net *net, const Batch *batch, const Settings *set, const int64_t *index, int64_t n, const float *params,
                  float *gradient, int64_t size, float *ws, Stats *stats) {
  Plan plan;
  make_plan(net, params, gradient, ws, &plan);
  clear_gradient(net, &plan, gradient, size);
  memset(stats, 0, sizeof(Stats));
  Normal nm = {1.f / n, 0.f, 1.f};
  if (set->normalize_advantage && n > 1) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < n; r++) sum += batch->advantages[index[r]];
    const double mean = sum / n;
    for (int64_t r = 0; r < n; r++) {
      const double e = batch->advantages[index[r]] - mean;
      squares += e * e;
    }
    nm.mean = (float)mean, nm.scale = (float)(1.0 / (sqrt(squares / (n - 1)) + 1e-8));
  }
  for (int64_t start = 0; start < n; start += ROWS) {
    const long rows = n - start < ROWS ? n - start : ROWS;
    const int64_t *ix = index + start;
    long stride;
    load_rows(&plan, net, batch->obs, ix, rows);
    const float *h = forward(net, &plan, 0, rows, &stride);
    for (long r = 0; r < rows; r++) {
      float *d = net->depth[0] ? plan.da + r * stride : 0;
      policy_row(net, &plan, batch, set, nm, ix[r], h + r * stride, d, stats);
      if (net->shared) value_row(&plan, batch, set, nm, ix[r], h + r * stride, d, 0, stats);
    }
    backward(net, &plan, 0, rows);
    if (net->shared) continue;
    h = forward(net, &plan, 1, rows, &stride);
    for (long r = 0; r < rows; r++)
      value_row(&plan, batch, set, nm, ix[r], h + r * stride, net->depth[1] ? plan.da + r * stride : 0, 1, stats);
    backward(net, &plan, 1, rows);
  }
  collect_gradient(net, &plan);
  const double inverse = 1.0 / n;
  stats->policy *= inverse, stats->value *= inverse, stats->entropy *= inverse, stats->kl *= inverse, stats->clipped *= inverse;
  gradient[size] = (float)stats->kl;
}

/* Clips the gradient by its global norm and takes Adam step number t (from 1). */
void ppo_step(const Settings *set, float *restrict params, const float *restrict gradient, float *restrict m, float *restrict v,
              int64_t size, int64_t t) {
  double squares = 0;
  for (int64_t start = 0; start < size; start += 1024) {
    const int64_t end = size - start < 1024 ? size : start + 1024;
    float part = 0;
    for (int64_t i = start; i < end; i++) part += gradient[i] * gradient[i];
    squares += part;
  }
  const float norm = (float)sqrt(squares), clip = set->max_grad_norm / (norm + 1e-6f), scale = clip < 1.f ? clip : 1.f;
  const float b1 = set->beta1, b2 = set->beta2, c1 = 1.f - b1, c2 = 1.f - b2, epsilon = set->epsilon;
  const float rate = (float)(set->learning_rate / (1.0 - pow(b1, (double)t)));
  const float inverse = (float)(1.0 / sqrt(1.0 - pow(b2, (double)t)));
  for (int64_t i = 0; i < size; i++) {
    const float g = gradient[i] * scale;
    m[i] = b1 * m[i] + c1 * g;
    v[i] = b2 * v[i] + c2 * g * g;
    params[i] -= rate * m[i] / (sqrtf(v[i]) * inverse + epsilon);
  }
}

/* The minibatches order[bounds[k]..bounds[k + 1]], of one epoch or of several. sums[0..4] gain the minibatches' means; last
   gets the last one's. Returns how many steps were taken: fewer than count where the KL limit stopped before a step. */
int64_t ppo_minibatches(const Net *net, const Batch *batch, const Settings *set, const int64_t *order, const int64_t *bounds,
                        int64_t count, float *params, float *gradient, float *m, float *v, int64_t size, int64_t steps_before,
                        float *ws, Stats *sums, Stats *last) {
  for (int64_t k = 0; k < count; k++) {
    ppo_backward(net, batch, set, order + bounds[k], bounds[k + 1] - bounds[k], params, gradient, size, ws, last);
    sums->policy += last->policy, sums->value += last->value, sums->entropy += last->entropy;
    sums->kl += last->kl, sums->clipped += last->clipped;
    if (set->kl_limit >= 0 && last->kl > set->kl_limit) return k;
    ppo_step(set, params, gradient, m, v, size, steps_before + k + 1);
  }
  return count;
}

/* -- acting --------------------------------------------------------------------------------------------------------- */

/* Actions and log-probabilities of n observations. noise: uniforms [n, components], normals [n, outputs], for gSDE normals
   [n, latent, outputs], or null for the most likely actions. */
void ppo_act(const Net *net, const float *params, const float *obs, const float *noise, int64_t n, void *actions, float *logp,
             float *ws) {
  Plan plan;
  make_plan(net, params, 0, ws, &plan);
  const HeadLayer *y = &plan.policy;
  for (int64_t start = 0; start < n; start += ROWS) {
    const long rows = n - start < ROWS ? n - start : ROWS;
    long stride;
    load_rows(&plan, net, obs + start * net->inputs, 0, rows);
    const float *last = forward(net, &plan, 0, rows, &stride);
    for (long r = 0; r < rows; r++) {
      const int64_t i = start + r;
      const float *h = last + r * stride;
      float z[MAX_OUTPUTS], p[MAX_OUTPUTS], total = 0;
      for (long k = 0; k < y->out; k++) z[k] = y->b[k] + dot(h, y->wt + k * y->inp, y->inp);
      if (net->kind == CATEGORICAL) {
        for (long c = 0, o = 0; c < net->components; o += net->nvec[c++]) {
          const long count = net->nvec[c];
          long a = 0;
          log_softmax(z + o, p + o, count);
          if (noise) {
            float sum = 0, cumulative = 0;
            for (long k = 0; k < count; k++) sum += p[o + k];
            const float threshold = noise[i * net->components + c] * sum;
            for (long k = 0; k < count - 1; k++) a += (cumulative += p[o + k]) <= threshold;
          } else
            for (long k = 1; k < count; k++) a = z[o + k] > z[o + a] ? k : a;
          ((int64_t *)actions)[i * net->components + c] = a;
          total += z[o + a];
        }
      } else
        for (long k = 0; k < y->out; k++) {
          float var, shift = 0;
          if (net->kind == SDE) {
            var = SDE_EPSILON;
            for (long j = 0; j < y->in; j++) {
              var += h[j] * h[j] * plan.sde[k * y->inp + j];
              if (noise) shift += h[j] * sqrtf(plan.sde[k * y->inp + j]) * noise[(i * y->in + j) * y->out + k];
            }
          } else {
            var = expf(2.f * plan.log_std[k]);
            if (noise) shift = sqrtf(var) * noise[i * y->out + k];
          }
          ((float *)actions)[i * y->out + k] = z[k] + shift;
          total -= 0.5f * shift * shift / var + 0.5f * logf(var) + HALF_LOG_2PI;
        }
      logp[i] = total;
    }
  }
}

/* Values of n observations. */
void ppo_values(const Net *net, const float *params, const float *obs, int64_t n, float *values, float *ws) {
  Plan plan;
  make_plan(net, params, 0, ws, &plan);
  for (int64_t start = 0; start < n; start += ROWS) {
    const long rows = n - start < ROWS ? n - start : ROWS;
    long stride;
    load_rows(&plan, net, obs + start * net->inputs, 0, rows);
    const float *h = forward(net, &plan, !net->shared, rows, &stride);
    for (long r = 0; r < rows; r++) values[start + r] = plan.value.b[0] + dot(h + r * stride, plan.value.wt, plan.value.inp);
  }
}
