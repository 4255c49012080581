/* job_internal.h - parts of job.c. Private to engine/node. */
#ifndef CS_NODE_JOB_INTERNAL_H
#define CS_NODE_JOB_INTERNAL_H

#include "node/job.h"

void cs__job_run_scan(cs_job_t *job, const cs_job_env_t *env);
void cs__job_run_apply(cs_job_t *job, const cs_job_env_t *env);
void cs__job_run_part(cs_job_t *job, const cs_job_env_t *env);
void cs__job_run_serve(cs_job_t *job, const cs_job_env_t *env);

#endif
