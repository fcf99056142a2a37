#include <kernel/pmu/sample.h>
#include <kernel/pmu/hooks.h>
void sample_arm(struct hart *h, const struct pmu_ctx *c){}
void sample_call_begin(struct hart *h, struct thread *t){}
void sample_call_end(struct hart *h){}
void sample_sw(struct hart *h, struct thread *t, u32 what, u64 addr){}
void sample_rates_changed(void){}
void perf_wake_readers(struct hart *h){}
void perf_wake_event(struct perf_event *e){}
void perf_hangup(struct perf_event *e){}
u16 perf_sample_id(const struct perf_event *e, u64 *out){return 0;}
void pmu_syscall_slow(struct thread *t, bool enter){}
void perf_side_slow(u32 what, struct thread *t){}
bool pmu_irq_save(void){return false;}
void pmu_irq_restore(bool on){}
