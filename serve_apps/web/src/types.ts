/** The API's documents and events. Generated from serve_apps/api/openapi.json: run `npm run types`. */

type Json = null | boolean | number | string | Json[] | {
    [name: string]: Json;
};
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * ActRequest
         * @description Observations to act on.
         */
        ActRequest: {
            /** @description True: the likeliest action; false: actions are drawn at random. Default: `true`. */
            deterministic?: boolean;
            /** @description Observations as the environment gives them, one a row. */
            observations: unknown[];
        };
        /**
         * ActionMask
         * @description Actions that the environment marks as invalid get probability 0: while training, acting and in exported models. A mask has a 1 for each valid action, as Gymnasium's `Discrete.sample(mask)` takes it; that of MultiDiscrete actions has the masks of their components, one behind the other. It is the only wrapper of observations.
         */
        ActionMask: {
            /** @description Key of the mask there. Default: `"action_mask"`. */
            key?: string;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "action_mask";
            /**
             * @description Place of the mask: a part of Dict observations, or of the `info` of `reset` and `step`. Default: `"observation"`.
             * @enum {string}
             */
            source?: "observation" | "info";
        };
        /**
         * ActionMaskInEvent
         * @description Actions that the environment marks as invalid get probability 0: while training, acting and in exported models. A mask has a 1 for each valid action, as Gymnasium's `Discrete.sample(mask)` takes it; that of MultiDiscrete actions has the masks of their components, one behind the other. It is the only wrapper of observations.
         */
        ActionMaskInEvent: {
            /** @description Key of the mask there. */
            key?: string;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "action_mask";
            /**
             * @description Place of the mask: a part of Dict observations, or of the `info` of `reset` and `step`.
             * @enum {string}
             */
            source?: "observation" | "info";
        };
        /**
         * ActionMaskOutput
         * @description Actions that the environment marks as invalid get probability 0: while training, acting and in exported models. A mask has a 1 for each valid action, as Gymnasium's `Discrete.sample(mask)` takes it; that of MultiDiscrete actions has the masks of their components, one behind the other. It is the only wrapper of observations.
         */
        ActionMaskOutput: {
            /** @description Key of the mask there. */
            key: string;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "action_mask";
            /**
             * @description Place of the mask: a part of Dict observations, or of the `info` of `reset` and `step`.
             * @enum {string}
             */
            source: "observation" | "info";
        };
        /**
         * Actions
         * @description Actions of a policy, one for each observation.
         */
        Actions: {
            /** @description Actions as the environment takes them, in the order of the observations. */
            actions: unknown[];
            /** @description True if the likeliest actions were taken, false if they were drawn. */
            deterministic: boolean;
            /** @description Id of the policy. */
            policy_id: string;
        };
        /**
         * Adjustment
         * @description Points that staff add to a member's grade, or take away.
         */
        Adjustment: {
            /** @description Points to add; negative to take away. */
            points: number;
            /** @description Reason, which the learner sees. */
            reason: string;
        };
        /**
         * AdjustmentRecord
         * @description An adjustment that was made. The newest one holds; earlier ones are the audit trail.
         */
        AdjustmentRecord: {
            /**
             * Format: date-time
             * @description Time when it was made.
             */
            at: string;
            /** @description Id of the principal that made it. */
            by: string;
            /** @description Points to add; negative to take away. */
            points: number;
            /** @description Reason, which the learner sees. */
            reason: string;
        };
        /**
         * AssignmentCard
         * @description An assignment in a list.
         */
        AssignmentCard: {
            /** @description Time from which nothing is accepted; null: never. */
            closes_at: string | null;
            /** @description Time until which a submission is in time; null: none is late. */
            due_at: string | null;
            /** @description True if there is a leaderboard. */
            leaderboard: boolean;
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Dates, attempts and points of the caller; null for a caller who is not a member. */
            mine: components["schemas"]["MyStatus"] | null;
            /** @description Name of the assignment. */
            name: string;
            /** @description Time from which learners see it; null: at once. */
            opens_at: string | null;
            /** @description Title for people. */
            title: string;
            /** @description Newest version. */
            version: number;
        };
        /**
         * AssignmentExtended
         * @description A member got later dates or further attempts.
         */
        AssignmentExtended: {
            /** @description Id of the principal that granted it. */
            by: string;
            /** @description The extension; null: it was taken back. */
            extension: components["schemas"]["ExtensionInEvent"] | null;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Id of the member. */
            member_id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "assignment.extended";
        };
        /**
         * AssignmentList
         * @description Assignments of a course.
         */
        AssignmentList: {
            /** @description The assignments, by due date and name. */
            items: components["schemas"]["AssignmentCard"][];
        };
        /**
         * AssignmentPublished
         * @description A version of the assignment was published.
         */
        AssignmentPublished: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "assignment.published";
            /** @description The version. */
            version: components["schemas"]["VersionInfoInEvent"];
        };
        /**
         * AssignmentRegraded
         * @description A regrade was committed: from now on, its results hold.
         */
        AssignmentRegraded: {
            /** @description Id of the principal that committed it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Id of the regrade. */
            regrade_id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "assignment.regraded";
            /** @description Version that it judged by. */
            version: number;
        };
        /**
         * AssignmentRequest
         * @description An assignment as staff write it (`PUT /v1/assignments/{name}`). Each change makes a new version.
         */
        AssignmentRequest: {
            /** @description Limits on the attempts of a member. */
            attempts?: components["schemas"]["AttemptsPolicy"];
            /** @description How output, or a returned value, is compared with what is expected. */
            checker?: components["schemas"]["ExactChecker"] | components["schemas"]["TokensChecker"] | components["schemas"]["LinesChecker"] | components["schemas"]["FloatsChecker"] | components["schemas"]["ProgramChecker"] | components["schemas"]["UnorderedChecker"];
            /** @description Time from which no submission is accepted; null: never. */
            closes_at?: string | null;
            /**
             * @description The submission that counts: the one with the best score, or the last one. Default: `"best"`.
             * @enum {string}
             */
            counts?: "best" | "last";
            /** @description Uploaded files of any size that a submission finds in each test, and can only read. */
            data?: components["schemas"]["DataFile"][];
            /** @description Time until which a submission is in time; null: none is late. */
            due_at?: string | null;
            /** @description How a test is run. */
            grader?: components["schemas"]["StdioGrader"] | components["schemas"]["FunctionGrader"] | components["schemas"]["EpisodeGrader"] | components["schemas"]["DialogueGrader"] | components["schemas"]["InteractiveGrader"] | components["schemas"]["PytestGrader"] | components["schemas"]["NotebookGrader"] | components["schemas"]["EnvironmentGrader"];
            /** @description Groups that tests refer to. */
            groups?: components["schemas"]["Group"][];
            /** @description Name of the image to run in; null: the platform's default. */
            image?: string | null;
            /**
             * @description Programming language of the submissions.
             * @constant
             */
            language?: "python";
            /** @description Penalty for submissions after `due_at`. */
            late?: components["schemas"]["LatePolicy"];
            /** @description Ranking of the members; null: none. */
            leaderboard?: components["schemas"]["LeaderboardPolicy"] | null;
            /** @description Limits of each test. */
            limits?: components["schemas"]["Limits"];
            /** @description Time from which learners see the assignment; null: at once. */
            opens_at?: string | null;
            /** @description Points of a submission that passes everything; null: the sum of the points of the tests. */
            points?: number | null;
            /** @description Files that are put beside each submission; learners see them, and cannot send files of these names. */
            provided?: components["schemas"]["SourceFile"][];
            /** @description Paths that a submission must have. Without them it is the file that is run: `main.py`, or `main.ipynb`. */
            required_files?: string[];
            /** @description Files that learners start from. */
            starter?: components["schemas"]["SourceFile"][];
            /** @description Text of the assignment, in Markdown. */
            statement?: string;
            /** @description True: after the first test that is not accepted, all others are skipped. Default: `false`. */
            stop_on_failure?: boolean;
            /** @description Tests, which only staff can read. */
            tests: components["schemas"]["TestCase"][];
            /** @description Isolation to run in. Default: `"single-use"`. */
            tier?: components["schemas"]["Tier"];
            /** @description Title for people. */
            title: string;
        };
        /**
         * AssignmentStaffView
         * @description Part of an assignment that only staff see.
         */
        AssignmentStaffView: {
            /** @description Definition of the newest version, with its tests, as an `AssignmentRequest`. */
            definition: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Extensions by the ids of members. */
            extensions: {
                [key: string]: components["schemas"]["ExtensionOutput"];
            };
            /** @description Id of the assignment: `asgn_…`. Its events are in the stream `assignments/asgn_…`. */
            id: string;
            /** @description Id of the regrade whose results hold; null: each submission's own. */
            regrade: string | null;
            /** @description All versions, oldest first. */
            versions: components["schemas"]["VersionInfo"][];
        };
        /**
         * AssignmentView
         * @description An assignment.
         */
        AssignmentView: {
            /** @description Limits on the attempts of a member. */
            attempts: components["schemas"]["AttemptsPolicyOutput"];
            /** @description Time from which nothing is accepted; null: never. */
            closes_at: string | null;
            /** @description The submission that counts: `best` or `last`. */
            counts: string;
            /** @description Time until which a submission is in time; null: none is late. */
            due_at: string | null;
            /** @description Image that submissions run in; null: the platform's default. */
            image: string | null;
            /** @description Programming language of the submissions. */
            language: string;
            /** @description Penalty for submissions after `due_at`. */
            late: components["schemas"]["LatePolicyOutput"];
            /** @description True if there is a leaderboard. */
            leaderboard: boolean;
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Dates, attempts and points of the caller; null for a caller who is not a member. */
            mine: components["schemas"]["MyStatus"] | null;
            /** @description Name of the assignment. */
            name: string;
            /** @description Time from which learners see it; null: at once. */
            opens_at: string | null;
            /** @description Files that are put beside each submission. */
            provided: components["schemas"]["SourceFile"][];
            /** @description Paths that a submission must have. */
            required_files: string[];
            /** @description Definition, versions and extensions; null for learners. */
            staff: components["schemas"]["AssignmentStaffView"] | null;
            /** @description Files to start from. */
            starter: components["schemas"]["SourceFile"][];
            /** @description Text of the assignment, in Markdown. */
            statement: string;
            /** @description Number of tests. */
            tests: number;
            /** @description Title for people. */
            title: string;
            /** @description Newest version. */
            version: number;
        };
        /**
         * Attempt
         * @description One attempt at a delivery.
         */
        Attempt: {
            /**
             * Format: date-time
             * @description Time of the attempt.
             */
            at: string;
            /** @description Duration, in seconds. */
            duration_s: number;
            /** @description Reason why there was no answer; null: there was one. */
            error: string | null;
            /** @description HTTP status of the answer; null: there was none. */
            status: number | null;
        };
        /**
         * AttemptsPolicy
         * @description Limits on the attempts of one member. An attempt that the platform failed to judge is given back.
         */
        AttemptsPolicy: {
            /** @description Attempts that come back with time; null: no such limit. */
            bucket?: components["schemas"]["TokenBucket"] | null;
            /** @description Time between one attempt and the next, in seconds. Default: `0`. */
            cool_down_s?: number;
            /** @description Largest number of attempts; null: no limit. */
            maximum?: number | null;
        };
        /**
         * AttemptsPolicyInEvent
         * @description Limits on the attempts of one member. An attempt that the platform failed to judge is given back.
         */
        AttemptsPolicyInEvent: {
            /** @description Attempts that come back with time; null: no such limit. */
            bucket?: components["schemas"]["TokenBucket"] | null;
            /** @description Time between one attempt and the next, in seconds. */
            cool_down_s?: number;
            /** @description Largest number of attempts; null: no limit. */
            maximum?: number | null;
        };
        /**
         * AttemptsPolicyOutput
         * @description Limits on the attempts of one member. An attempt that the platform failed to judge is given back.
         */
        AttemptsPolicyOutput: {
            /** @description Attempts that come back with time; null: no such limit. */
            bucket: components["schemas"]["TokenBucket"] | null;
            /** @description Time between one attempt and the next, in seconds. */
            cool_down_s: number;
            /** @description Largest number of attempts; null: no limit. */
            maximum: number | null;
        };
        /**
         * AttemptsState
         * @description Attempts of a member at an assignment.
         */
        AttemptsState: {
            /** @description True if an attempt is possible now. */
            allowed: boolean;
            /** @description Attempts left of the maximum; null: no limit. */
            left: number | null;
            /** @description Largest number of attempts; null: no limit. */
            maximum: number | null;
            /** @description Time of the next possible attempt; null: none is left, or it is possible now. */
            next_at: string | null;
            /** @description Attempts used so far. */
            used: number;
        };
        /**
         * Band
         * @description Interquartile mean of a group over the axis, with 95 % bootstrap intervals: columns of equal length.
         */
        Band: {
            /** @description Upper bounds. */
            high: number[];
            /** @description Interquartile mean of the runs that have come that far. */
            iqm: number[];
            /** @description Lower bounds. */
            low: number[];
            /** @description Number of runs that have come that far. */
            runs: number[];
            /** @description Places on the axis. */
            x: number[];
        };
        /**
         * BatchResult
         * @description Results of a batch.
         */
        BatchResult: {
            /** @description One result for each evaluation, in the order of the request. */
            results: components["schemas"]["BatchRow"][];
        };
        /**
         * BatchRow
         * @description Result of one row of a batch.
         */
        BatchRow: {
            /** @description Problem document; null if the row was accepted. */
            error: components["schemas"]["Problem"] | null;
            /** @description The evaluation; null if the row was refused. */
            evaluation: components["schemas"]["Evaluation"] | null;
            /** @description True if an earlier batch with the same Idempotency-Key created the evaluation. */
            replayed: boolean;
            /** @description 202 if the row was accepted, else the HTTP status of its error. */
            status: number;
        };
        /**
         * CheckpointInfo
         * @description A committed checkpoint.
         */
        CheckpointInfo: {
            /** @description True if no checkpoint of its training has a higher mean return; in an event, and in the training's document, as it was when it was saved. */
            best: boolean;
            /**
             * Format: date-time
             * @description Time at which it was saved.
             */
            created_at: string;
            /** @description Environment steps at the time it was saved. */
            env_steps: number;
            /** @description Mean return at the time it was saved; null: no episode had ended. */
            episode_return_mean: number | null;
            /** @description Id of the checkpoint: `ckpt_…`. */
            id: string;
            /** @description Iterations at the time it was saved. */
            iteration: number;
            /** @description SHA-256 of its manifest, which lists the size and the hash of every file. */
            manifest_sha256: string;
            /** @description Size of all files, in bytes. */
            size_bytes: number;
            /** @description Id of its training. */
            training_id: string;
        };
        /**
         * CheckpointInfoInEvent
         * @description A committed checkpoint.
         */
        CheckpointInfoInEvent: {
            /** @description True if no checkpoint of its training has a higher mean return; in an event, and in the training's document, as it was when it was saved. */
            best?: boolean;
            /**
             * Format: date-time
             * @description Time at which it was saved.
             */
            created_at: string;
            /** @description Environment steps at the time it was saved. */
            env_steps: number;
            /** @description Mean return at the time it was saved; null: no episode had ended. */
            episode_return_mean?: number | null;
            /** @description Id of the checkpoint: `ckpt_…`. */
            id: string;
            /** @description Iterations at the time it was saved. */
            iteration: number;
            /** @description SHA-256 of its manifest, which lists the size and the hash of every file. */
            manifest_sha256: string;
            /** @description Size of all files, in bytes. */
            size_bytes: number;
            /** @description Id of its training. */
            training_id: string;
        };
        /**
         * CheckpointList
         * @description Committed checkpoints of a training, oldest first.
         */
        CheckpointList: {
            /** @description The checkpoints. */
            items: components["schemas"]["CheckpointInfo"][];
        };
        /**
         * CheckpointPlan
         * @description Schedule of checkpoints, and how many of them are kept.
         */
        CheckpointPlan: {
            /** @description Iterations between two checkpoints; 0: no such rule. Default: `20`. */
            every_iterations?: number;
            /** @description Seconds after which the next completed iteration is saved; 0: no such rule. There is always one at the end. Default: `600.0`. */
            every_s?: number;
            /** @description True: also keep the checkpoint with the highest mean return. Default: `true`. */
            keep_best?: boolean;
            /** @description Newest checkpoints to keep. Default: `3`. */
            keep_last?: number;
        };
        /**
         * CheckpointPlanOutput
         * @description Schedule of checkpoints, and how many of them are kept.
         */
        CheckpointPlanOutput: {
            /** @description Iterations between two checkpoints; 0: no such rule. */
            every_iterations: number;
            /** @description Seconds after which the next completed iteration is saved; 0: no such rule. There is always one at the end. */
            every_s: number;
            /** @description True: also keep the checkpoint with the highest mean return. */
            keep_best: boolean;
            /** @description Newest checkpoints to keep. */
            keep_last: number;
        };
        /**
         * Choices
         * @description Listed values, of which each trial takes one.
         */
        Choices: {
            /** @description The values: numbers, texts, lists, whatever the hyperparameter takes. */
            choices: components["schemas"]["JsonValue"][];
            /**
             * @description Selects listed values. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "categorical";
        };
        /**
         * ClipReward
         * @description Rewards to train on are limited to a range. Returns stay the environment's own.
         */
        ClipReward: {
            /** @description Highest reward. Default: `1.0`. */
            high?: number;
            /** @description Lowest reward. Default: `-1.0`. */
            low?: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "clip_reward";
        };
        /**
         * ClipRewardInEvent
         * @description Rewards to train on are limited to a range. Returns stay the environment's own.
         */
        ClipRewardInEvent: {
            /** @description Highest reward. */
            high?: number;
            /** @description Lowest reward. */
            low?: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "clip_reward";
        };
        /**
         * ClipRewardOutput
         * @description Rewards to train on are limited to a range. Returns stay the environment's own.
         */
        ClipRewardOutput: {
            /** @description Highest reward. */
            high: number;
            /** @description Lowest reward. */
            low: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "clip_reward";
        };
        /**
         * Comment
         * @description A comment of staff on a line of a submission.
         */
        Comment: {
            /**
             * Format: date-time
             * @description Time when it was written.
             */
            at: string;
            /** @description Id of the principal that wrote it. */
            by: string;
            /** @description Number of the line; null: the whole file. */
            line: number | null;
            /** @description Path of the file. */
            path: string;
            /** @description Id of the submission. */
            submission_id: string;
            /** @description The comment. */
            text: string;
        };
        /**
         * CommentInEvent
         * @description A comment of staff on a line of a submission.
         */
        CommentInEvent: {
            /**
             * Format: date-time
             * @description Time when it was written.
             */
            at: string;
            /** @description Id of the principal that wrote it. */
            by: string;
            /** @description Number of the line; null: the whole file. */
            line?: number | null;
            /** @description Path of the file. */
            path: string;
            /** @description Id of the submission. */
            submission_id: string;
            /** @description The comment. */
            text: string;
        };
        /**
         * CommentRequest
         * @description A comment of staff on a line of a submission.
         */
        CommentRequest: {
            /** @description Number of the line; null: the whole file. */
            line?: number | null;
            /** @description Path of the file. */
            path: string;
            /** @description The comment. */
            text: string;
        };
        /**
         * ComparedGroup
         * @description Trainings that differ in their seed alone.
         */
        ComparedGroup: {
            /** @description Interquartile mean of the metric, with its interval. */
            band: components["schemas"]["Band"];
            /** @description Estimate of the highest value of the metric, of those that the curves keep; null: no run has one. */
            best: components["schemas"]["Estimate"] | null;
            /** @description Estimate of the mean return of the last policy evaluation; null: no run has been evaluated. */
            evaluation: components["schemas"]["Estimate"] | null;
            /** @description Estimate of the last value of the metric; null: no run has one. */
            final: components["schemas"]["Estimate"] | null;
            /** @description Trainings of the group, by seed. */
            runs: components["schemas"]["ComparedRun"][];
            /** @description Settings that tell the group from the others, in a line. */
            title: string;
        };
        /**
         * ComparedRun
         * @description One training of a comparison.
         */
        ComparedRun: {
            /** @description Environment steps so far. */
            env_steps: number;
            /** @description Evaluations of the policy so far, oldest first. */
            evaluations: components["schemas"]["EvaluatedPoint"][];
            /** @description Id of the training. */
            id: string;
            /** @description Name of the run; null: none. */
            name: string | null;
            /** @description Seed of the training. */
            seed: number;
            /** @description Present state. */
            state: components["schemas"]["TrainingState"];
            /** @description Time spent on training so far, in seconds. */
            train_wall_s: number;
            /** @description Places on the axis, in order. */
            x: number[];
            /** @description Values of the metric there. */
            y: number[];
        };
        /**
         * ComparedSetting
         * @description A setting, with its value in each group.
         */
        ComparedSetting: {
            /** @description True if not all groups have the same value. */
            differs: boolean;
            /** @description True where the request gave the value: it overrides preset and default. */
            given: boolean[];
            /** @description Name of the setting, for example `hyperparameters.learning_rate`. */
            name: string;
            /** @description Values, in the order of the groups; null where the setting does not apply. */
            values: components["schemas"]["JsonValue"][];
        };
        /**
         * ComparedSubmission
         * @description One submission of a pair.
         */
        ComparedSubmission: {
            /** @description Id of that person in the course's own lists. */
            external_id: string;
            /** @description Id of the member. */
            member_id: string;
            /** @description Name of the person. */
            name: string;
            /** @description The lines that are alike, at most 20 passages. */
            passages: components["schemas"]["Passage"][];
            /** @description Share of its code that is in the other submission, from 0 to 1, without the code of the assignment. */
            share: number;
            /** @description Id of the submission. */
            submission_id: string;
        };
        /**
         * Comparison
         * @description Comparison of trainings.
         */
        Comparison: {
            /** @description Groups, best final estimate first. */
            groups: components["schemas"]["ComparedGroup"][];
            /** @description Trainings that were found, but not compared because there were more than 100. */
            left_out: number;
            /** @description Metric that is compared. */
            metric: string;
            /** @description Metrics that the trainings have. */
            metrics: string[];
            /** @description Settings of the groups: those that differ first, then by name. */
            settings: components["schemas"]["ComparedSetting"][];
            /**
             * @description Axis: environment steps, or seconds of training.
             * @enum {string}
             */
            x: "env_steps" | "train_wall_s";
        };
        /**
         * ContractCheck
         * @description Result of one check of the contract.
         */
        ContractCheck: {
            /** @description Part of the contract: `spaces`, `seeding`, `determinism`, `copies`, `endings`, `rewards` or `step_rate`. */
            check: string;
            /** @description Facts that the check found, as `steps_per_s`. */
            facts: {
                [key: string]: unknown;
            };
            /** @description Reason of the verdict and advice, or a note; null if there is nothing to say. */
            message: string | null;
            /** @description `accepted`: the contract holds. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * CourseSettings
         * @description Settings of a tenant as a course.
         */
        CourseSettings: {
            /** @description True: learners may also send evaluations with tests of their own. False: they only submit to assignments. Default: `true`. */
            learners_evaluate_freely?: boolean;
        };
        /**
         * CourseSettingsOutput
         * @description Settings of a tenant as a course.
         */
        CourseSettingsOutput: {
            /** @description True: learners may also send evaluations with tests of their own. False: they only submit to assignments. */
            learners_evaluate_freely: boolean;
        };
        /**
         * DataFile
         * @description An uploaded file that a program finds under a path, and can only read.
         */
        DataFile: {
            /** @description Id of the file: `file_…`. */
            file: string;
            /** @description Relative POSIX path, for example `data/train.csv`. */
            path: string;
        };
        /**
         * Delivery
         * @description One message to one webhook.
         */
        Delivery: {
            /** @description Attempts so far, oldest first. */
            attempts: components["schemas"]["Attempt"][];
            /**
             * Format: date-time
             * @description Time of the event.
             */
            created_at: string;
            /** @description Id of the message, sent as `webhook-id` with every attempt: receivers recognise repeats by it. */
            id: string;
            /** @description Time of the next attempt; null: there will be none. */
            next_attempt_at: string | null;
            /** @description Id of the run; null for a test message. */
            run_id: string | null;
            /**
             * @description `pending` until it is delivered or given up.
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed";
            /** @description Type of the event. */
            type: string;
            /** @description Id of the webhook. */
            webhook_id: string;
        };
        /**
         * DeliveryList
         * @description Messages to a webhook, newest first.
         */
        DeliveryList: {
            /** @description The messages. */
            items: components["schemas"]["Delivery"][];
        };
        /**
         * DependencyState
         * @description State of one part that the platform depends on.
         */
        DependencyState: {
            /** @description Explanation; null: none. */
            detail: string | null;
            /** @description Name of the part. */
            name: string;
            /** @description True if it answers. */
            ok: boolean;
        };
        /**
         * DialogueGrader
         * @description The program and the host exchange lines: the program follows the `turns` of a test, or guesses its `secret`.
         */
        DialogueGrader: {
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "dialogue";
            /** @description Number of guesses that the program may make. Default: `100`. */
            max_guesses?: number;
            /** @description Time until the program's next line, or until its exit after a correct guess, in seconds. Default: `1.0`. */
            turn_time_s?: number;
        };
        /**
         * EnvironmentFile
         * @description A file of an environment.
         */
        EnvironmentFile: {
            /** @description Path that the environment finds it under. */
            path: string;
            /** @description SHA-256 of its bytes, in hexadecimal. */
            sha256: string;
            /** @description Size, in bytes. */
            size_bytes: number;
        };
        /**
         * EnvironmentGrader
         * @description The submission is a Gymnasium environment, `source` the module of `entry`; each test is a check of it.
         */
        EnvironmentGrader: {
            /** @description Keyword arguments of the class. */
            config?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Module and class of the environment, as `grid:GridWorld`. */
            entry: string;
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "environment";
        };
        /**
         * EnvironmentInfo
         * @description An environment that can be trained on.
         */
        EnvironmentInfo: {
            /** @description Action space, as Gymnasium prints it. */
            action_space: string;
            /**
             * @description Library that steps the environment; `sandbox`: one that a user uploaded.
             * @enum {string}
             */
            backend: "envpool" | "gymnasium" | "sandbox";
            /** @description Id of the environment. */
            id: string;
            /** @description Steps after which an episode is truncated, unless a request says otherwise. */
            max_episode_steps: number | null;
            /** @description Name of an uploaded environment; null: it is not one. */
            name: string | null;
            /** @description Observation space, as Gymnasium prints it. */
            observation_space: string;
            /** @description Name of tuned hyperparameters for it; null: there are none. */
            preset: string | null;
            /** @description Environment steps that those are meant for, and the default of `stop`; null: there are none. */
            preset_env_steps: number | null;
        };
        /**
         * EnvironmentList
         * @description Environments that can be trained on, by id.
         */
        EnvironmentList: {
            /** @description The environments. */
            items: components["schemas"]["EnvironmentInfo"][];
            /** @description `cursor` of the next page; null: there is none. */
            next_cursor: string | null;
        };
        /**
         * EnvironmentUpload
         * @description An environment to check and keep (`POST /v1/environments`).
         */
        EnvironmentUpload: {
            /** @description Keyword arguments of the class. A training may add others in `env_config`. */
            config?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Module and class, or function, that makes the environment, as `grid:GridWorld`; the module is one of `files`. */
            entry: string;
            /** @description Files of the environment, 1 MiB in all. Modules are imported, and other files found, by these paths. */
            files: components["schemas"]["SourceFile"][];
            /** @description Name of the image to run in, one of `GET /v1/images` with Gymnasium; null: the platform's default. */
            image?: string | null;
            /** @description Memory of each process, which has up to 64 copies, in MiB. Default: `512`. */
            memory_mib?: number;
            /** @description Name to show; null: that of the class. */
            name?: string | null;
        };
        /**
         * Episode
         * @description A recorded episode, step by step.
         */
        Episode: {
            /** @description Actions as the environment takes them, one for each recorded step. */
            actions: unknown[];
            /**
             * Format: date-time
             * @description Time of the recording.
             */
            created_at: string;
            /** @description Id of the environment. */
            env: string;
            /** @description Environment steps of the training at that time; null: not recorded by a training. */
            env_steps: number | null;
            /** @description Sum of its rewards. */
            episode_return: number;
            /** @description True if it belongs to a hidden test: only staff see it. */
            hidden: boolean;
            /** @description Id of the episode: `ep_…`. */
            id: string;
            /** @description Iterations of the training at that time; null: not recorded by a training. */
            iteration: number | null;
            /** @description Steps of the episode. */
            length: number;
            /** @description Reason why no video can be made; null: one can, if the environment has pictures. */
            no_video: string | null;
            /** @description Place among the episodes of its evaluation, in order of their ends, from 0. */
            number: number;
            /** @description Observations before each action; null: not asked for, or too large to be kept. */
            observations: unknown[] | null;
            /** @description Steps that are kept, from its beginning. */
            recorded_steps: number;
            /** @description Rewards, one for each recorded step. */
            rewards: number[];
            /** @description Reasons why it was kept among the episodes of its evaluation: in order of their ends, or of their returns. */
            roles: ("first" | "best" | "median" | "worst" | "last")[];
            /** @description Id of the training, the policy or the evaluation that it belongs to. */
            run_id: string;
            /** @description Seed of its environment; null: unknown. */
            seed: number | null;
            /** @description Id of the test that it was played for; null: of no evaluation's test. */
            test: string | null;
            /** @description Its video; null: none has been made yet. */
            video: components["schemas"]["VideoInfo"] | null;
        };
        /**
         * EpisodeGrader
         * @description The program is an agent: a function `entry`, or a class, chooses the actions of one episode of an environment. Observations and actions are JSON: a number for Discrete spaces, lists for arrays.
         */
        EpisodeGrader: {
            /** @description Name of the function that chooses an action, or of a class: an object of it is made for each episode, its `reset()` is called if there is one, and its `act(observation)` chooses. With `act_batch(observations)` one object chooses for all episodes that are played side by side. Default: `"act"`. */
            entry?: string;
            /** @description Id of a Gymnasium environment, for example `CartPole-v1`, or `env_…` of an uploaded one, which is stepped in a sandbox of its own. */
            env: string;
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "episode";
            /** @description Steps after which an episode ends that the environment does not end. Default: `1000`. */
            max_steps?: number;
            /** @description Time for one action, in seconds. The first one includes importing the program and making its agent. Default: `1.0`. */
            turn_time_s?: number;
        };
        /**
         * EpisodeInfo
         * @description An episode that a policy evaluation or a grader has recorded.
         */
        EpisodeInfo: {
            /**
             * Format: date-time
             * @description Time of the recording.
             */
            created_at: string;
            /** @description Id of the environment. */
            env: string;
            /** @description Environment steps of the training at that time; null: not recorded by a training. */
            env_steps: number | null;
            /** @description Sum of its rewards. */
            episode_return: number;
            /** @description True if it belongs to a hidden test: only staff see it. */
            hidden: boolean;
            /** @description Id of the episode: `ep_…`. */
            id: string;
            /** @description Iterations of the training at that time; null: not recorded by a training. */
            iteration: number | null;
            /** @description Steps of the episode. */
            length: number;
            /** @description Reason why no video can be made; null: one can, if the environment has pictures. */
            no_video: string | null;
            /** @description Place among the episodes of its evaluation, in order of their ends, from 0. */
            number: number;
            /** @description Steps that are kept, from its beginning. */
            recorded_steps: number;
            /** @description Reasons why it was kept among the episodes of its evaluation: in order of their ends, or of their returns. */
            roles: ("first" | "best" | "median" | "worst" | "last")[];
            /** @description Id of the training, the policy or the evaluation that it belongs to. */
            run_id: string;
            /** @description Seed of its environment; null: unknown. */
            seed: number | null;
            /** @description Id of the test that it was played for; null: of no evaluation's test. */
            test: string | null;
        };
        /**
         * EpisodeInfoInEvent
         * @description An episode that a policy evaluation or a grader has recorded.
         */
        EpisodeInfoInEvent: {
            /**
             * Format: date-time
             * @description Time of the recording.
             */
            created_at: string;
            /** @description Id of the environment. */
            env: string;
            /** @description Environment steps of the training at that time; null: not recorded by a training. */
            env_steps?: number | null;
            /** @description Sum of its rewards. */
            episode_return: number;
            /** @description True if it belongs to a hidden test: only staff see it. */
            hidden?: boolean;
            /** @description Id of the episode: `ep_…`. */
            id: string;
            /** @description Iterations of the training at that time; null: not recorded by a training. */
            iteration?: number | null;
            /** @description Steps of the episode. */
            length: number;
            /** @description Reason why no video can be made; null: one can, if the environment has pictures. */
            no_video?: string | null;
            /** @description Place among the episodes of its evaluation, in order of their ends, from 0. */
            number: number;
            /** @description Steps that are kept, from its beginning. */
            recorded_steps: number;
            /** @description Reasons why it was kept among the episodes of its evaluation: in order of their ends, or of their returns. */
            roles: ("first" | "best" | "median" | "worst" | "last")[];
            /** @description Id of the training, the policy or the evaluation that it belongs to. */
            run_id: string;
            /** @description Seed of its environment; null: unknown. */
            seed?: number | null;
            /** @description Id of the test that it was played for; null: of no evaluation's test. */
            test?: string | null;
        };
        /**
         * EpisodeList
         * @description Recorded episodes, oldest first.
         */
        EpisodeList: {
            /** @description The episodes. */
            items: components["schemas"]["EpisodeInfo"][];
        };
        /**
         * Estimate
         * @description Interquartile mean over runs, with its 95 % bootstrap interval (percentiles of resampled runs).
         */
        Estimate: {
            /** @description Upper bound of the interval. */
            high: number;
            /** @description Interquartile mean: the mean of the middle half of the runs. */
            iqm: number;
            /** @description Lower bound of the interval. */
            low: number;
            /** @description Mean of all runs. */
            mean: number;
            /** @description Runs that the estimate is of. With one run the interval is that run's value. */
            runs: number;
        };
        /**
         * EvaluatePolicyRequest
         * @description A policy evaluation to run.
         */
        EvaluatePolicyRequest: {
            /** @description True: the likeliest action; false: actions are drawn at random. Default: `true`. */
            deterministic?: boolean;
            /** @description Episodes to play. Default: `10`. */
            episodes?: number;
            /** @description Seed of the environments and of drawn actions. Default: `0`. */
            seed?: number;
        };
        /**
         * EvaluatedPoint
         * @description Evaluation of a policy, with its spread over episodes.
         */
        EvaluatedPoint: {
            /** @description Number of episodes. */
            episodes: number;
            /** @description Mean return of the episodes. */
            mean: number;
            /** @description Standard deviation of the returns. */
            std: number;
            /** @description Place on the axis. */
            x: number;
        };
        /**
         * Evaluation
         * @description State and result of an evaluation.
         */
        Evaluation: {
            /** @description Attempts so far: more than 1 after a failure of the platform. */
            attempts: number;
            /**
             * Format: date-time
             * @description Time of the request.
             */
            created_at: string;
            /** @description Time at which it is expected to start; null unless queued, or if unknown. */
            expected_start_at: string | null;
            /** @description Files that were kept: those that tests `collect`, and the executed notebook. */
            files: components["schemas"]["KeptFile"][];
            /** @description Time of the end. */
            finished_at: string | null;
            /** @description Id of the evaluation: `eval_…`. */
            id: string;
            /** @description Labels to find the run by. */
            labels: {
                [key: string]: string;
            };
            /** @description Points of a submission that is accepted on every test. */
            max_score: number;
            /** @description Explanation of the result, or of why there is none. */
            message: string | null;
            /** @description Name of the run for people; null: none. */
            name: string | null;
            /** @description Notes about the run; null: none. */
            notes: string | null;
            /** @description Evaluations served before this one; null unless queued, or if unknown. */
            queue_position: number | null;
            /** @description Sandbox that judged the submission; null until finished. */
            sandbox: components["schemas"]["SandboxInfo"] | null;
            /** @description Points earned; null until finished. */
            score: number | null;
            /** @description Sequence number of the newest event that this document reflects. Events after it continue without a gap. */
            seq: number;
            /** @description Time of the first start. */
            started_at: string | null;
            /**
             * @description Present state; `finished`, `cancelled` and `failed` are final.
             * @enum {string}
             */
            state: "queued" | "running" | "finished" | "cancelled" | "failed";
            /** @description Principal that submitted the run: id of the first API key of its rotations, or `sub` of the JWT. */
            submitter: string | null;
            /** @description Results of the tests so far; lists of evaluations leave them out. */
            tests: components["schemas"]["TestResult"][];
            /** @description First verdict that is not `accepted`, in test order; null until the evaluation has ended. */
            verdict: components["schemas"]["Verdict"] | null;
        };
        /**
         * EvaluationBatch
         * @description Up to 200 evaluations; each is accepted or refused by itself.
         */
        EvaluationBatch: {
            /** @description The evaluations to submit. */
            evaluations: components["schemas"]["EvaluationRequest"][];
        };
        /**
         * EvaluationCancelled
         * @description The evaluation was cancelled.
         */
        EvaluationCancelled: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason of the cancellation. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.cancelled";
        };
        /**
         * EvaluationFailed
         * @description The platform could not evaluate the submission, after all attempts. This is not a verdict.
         */
        EvaluationFailed: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason of the failure. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.failed";
        };
        /**
         * EvaluationFinished
         * @description The evaluation has ended with a verdict.
         */
        EvaluationFinished: {
            /** @description Files that were kept. */
            files?: components["schemas"]["KeptFileInEvent"][];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Points of a submission that is accepted on every test. */
            max_score: number;
            /** @description Explanation of the result; null: none. */
            message?: string | null;
            /** @description Sandbox that judged the submission. */
            sandbox?: components["schemas"]["SandboxInfo"] | null;
            /** @description Points earned. */
            score: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description Results of all tests. */
            tests: components["schemas"]["TestResultInEvent"][];
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.finished";
            /** @description First verdict that is not `accepted`, in test order. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * EvaluationMessage
         * @description Message that an evaluation has ended.
         */
        EvaluationMessage: {
            /** @description The evaluation; of hidden tests, verdicts and points alone, unless the webhook was created with `include_hidden`. */
            data: components["schemas"]["Evaluation"];
            /**
             * Format: date-time
             * @description Time of the end.
             */
            timestamp: string;
            /**
             * @description Type of the event.
             * @enum {string}
             */
            type: "evaluation.finished" | "evaluation.cancelled" | "evaluation.failed";
        };
        /**
         * EvaluationOutput
         * @description Standard output of a test that still runs, never of a hidden one. The test's result has all that is kept.
         */
        EvaluationOutput: {
            /** @description Number of the attempt, counted from 1. */
            attempt: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Characters of this test that were sent before. */
            offset: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description Id of the test. */
            test: string;
            /** @description Further output. */
            text: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description True: no more output of this test will be sent. */
            truncated?: boolean;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.output";
        };
        /**
         * EvaluationPlan
         * @description Schedule of evaluations of the deterministic policy, on environments of their own.
         */
        EvaluationPlan: {
            /** @description Episodes of each evaluation. Default: `10`. */
            episodes?: number;
            /** @description Iterations between two evaluations; 0: only at the end. Default: `0`. */
            every_iterations?: number;
            /** @description Environment steps after which an evaluation is cut short, all its episodes together. Default: `10000000`. */
            max_env_steps?: number;
            /** @description Seconds after which an evaluation is cut short. Default: `300.0`. */
            max_wall_time_s?: number;
        };
        /**
         * EvaluationPlanOutput
         * @description Schedule of evaluations of the deterministic policy, on environments of their own.
         */
        EvaluationPlanOutput: {
            /** @description Episodes of each evaluation. */
            episodes: number;
            /** @description Iterations between two evaluations; 0: only at the end. */
            every_iterations: number;
            /** @description Environment steps after which an evaluation is cut short, all its episodes together. */
            max_env_steps: number;
            /** @description Seconds after which an evaluation is cut short. */
            max_wall_time_s: number;
        };
        /**
         * EvaluationQueued
         * @description The evaluation was accepted and waits.
         */
        EvaluationQueued: {
            /** @description Expected wait at that moment, in seconds; null: unknown. */
            expected_wait_s?: number | null;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Points of a submission that is accepted on every test. */
            max_score: number;
            /** @description Evaluations served before this one at that moment; null: unknown. */
            queue_position?: number | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description Number of tests. */
            tests: number;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.queued";
        };
        /**
         * EvaluationReport
         * @description Result of evaluating the deterministic policy on environments of its own.
         */
        EvaluationReport: {
            /** @description Mean length of the episodes, in steps. */
            episode_length_mean: number;
            /** @description Highest return. */
            episode_return_max: number;
            /** @description Mean return of the episodes. */
            episode_return_mean: number;
            /** @description Lowest return. */
            episode_return_min: number;
            /** @description Standard deviation of the returns. */
            episode_return_std: number;
            /** @description Episodes played. */
            episodes: number;
        };
        /**
         * EvaluationRequest
         * @description A submission to judge, its tests and its limits (`POST /v1/evaluations`).
         */
        EvaluationRequest: {
            /** @description How output, or a returned value, is compared with what is expected. */
            checker?: components["schemas"]["ExactChecker"] | components["schemas"]["TokensChecker"] | components["schemas"]["LinesChecker"] | components["schemas"]["FloatsChecker"] | components["schemas"]["ProgramChecker"] | components["schemas"]["UnorderedChecker"];
            /** @description Uploaded files of any size that the program finds in each test, and can only read. */
            data?: components["schemas"]["DataFile"][];
            /** @description Further files of the submission. */
            files?: components["schemas"]["SourceFile"][];
            /** @description How a test is run. */
            grader?: components["schemas"]["StdioGrader"] | components["schemas"]["FunctionGrader"] | components["schemas"]["EpisodeGrader"] | components["schemas"]["DialogueGrader"] | components["schemas"]["InteractiveGrader"] | components["schemas"]["PytestGrader"] | components["schemas"]["NotebookGrader"] | components["schemas"]["EnvironmentGrader"];
            /** @description Groups that tests refer to. */
            groups?: components["schemas"]["Group"][];
            /** @description Name of the image to run in, one of `GET /v1/images`: it determines which packages can be imported. Null: the platform's default. */
            image?: string | null;
            /** @description Labels to find the run by: keys with their values. */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description Programming language of the submission.
             * @constant
             */
            language?: "python";
            /** @description Limits of each test. */
            limits?: components["schemas"]["Limits"];
            /** @description Refuse the evaluation if it would wait in the queue for longer, in seconds; null: only the platform's own limit applies. */
            max_wait_s?: number | null;
            /** @description Name of the run for people; null: none. It need not be unique. */
            name?: string | null;
            /** @description Notes of any length up to 10,000 characters; null: none. */
            notes?: string | null;
            /**
             * @description Order among the tenant's own evaluations. `high` needs the scope `admin`. Default: `"normal"`.
             * @enum {string}
             */
            priority?: "high" | "normal" | "low";
            /** @description Text of the program, or an uploaded file. An uploaded ZIP archive is a whole submission, with `main.py` (or `source_name`) at its top or in its only folder. */
            source: string | components["schemas"]["FileRef"];
            /** @description Name of the program's file: errors show it, and other files import it. Null: `main.py`. */
            source_name?: string | null;
            /** @description True: after the first test that is not accepted, all others are skipped. Default: `false`. */
            stop_on_failure?: boolean;
            /** @description Tests to run, in this order. */
            tests: components["schemas"]["TestCase"][];
            /** @description Isolation to run in. Default: `"single-use"`. */
            tier?: components["schemas"]["Tier"];
        };
        /**
         * EvaluationRetried
         * @description An attempt was lost to a failure of the platform, and the evaluation is queued again. It costs the learner nothing.
         */
        EvaluationRetried: {
            /** @description Number of the attempt, counted from 1. */
            attempt: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason of the failure. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.retried";
        };
        /**
         * EvaluationStarted
         * @description An attempt at the evaluation has started.
         */
        EvaluationStarted: {
            /** @description Number of the attempt, counted from 1. */
            attempt: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sandbox that judges it; null: not known yet. */
            sandbox?: components["schemas"]["SandboxInfo"] | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.started";
        };
        /**
         * EvaluationTestFinished
         * @description A test has ended.
         */
        EvaluationTestFinished: {
            /** @description Number of the attempt, counted from 1. */
            attempt: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Result of the test. */
            result: components["schemas"]["TestResultInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "evaluation.test_finished";
        };
        /**
         * Event
         * @description An event of a stream, told apart by `type`. It is the same in the log, over SSE and WebSocket.
         */
        Event: components["schemas"]["EvaluationQueued"] | components["schemas"]["EvaluationStarted"] | components["schemas"]["EvaluationOutput"] | components["schemas"]["EvaluationTestFinished"] | components["schemas"]["EvaluationRetried"] | components["schemas"]["EvaluationFinished"] | components["schemas"]["EvaluationCancelled"] | components["schemas"]["EvaluationFailed"] | components["schemas"]["TrainingQueued"] | components["schemas"]["TrainingWaiting"] | components["schemas"]["TrainingStarting"] | components["schemas"]["TrainingStarted"] | components["schemas"]["TrainingIterationCompleted"] | components["schemas"]["TrainingEvaluated"] | components["schemas"]["TrainingProgressed"] | components["schemas"]["TrainingEvaluationCutShort"] | components["schemas"]["TrainingEnvironmentFault"] | components["schemas"]["TrainingCheckpointSaved"] | components["schemas"]["TrainingPauseRequested"] | components["schemas"]["TrainingPaused"] | components["schemas"]["TrainingResumeRequested"] | components["schemas"]["TrainingResumed"] | components["schemas"]["TrainingStopRequested"] | components["schemas"]["TrainingInterrupted"] | components["schemas"]["TrainingRecovered"] | components["schemas"]["TrainingSucceeded"] | components["schemas"]["TrainingStopped"] | components["schemas"]["TrainingFailed"] | components["schemas"]["StudyQueued"] | components["schemas"]["StudyStarted"] | components["schemas"]["StudyWaiting"] | components["schemas"]["StudyTrialSuggested"] | components["schemas"]["StudyTrialStarted"] | components["schemas"]["StudyTrialReported"] | components["schemas"]["StudyTrialPruned"] | components["schemas"]["StudyTrialFinished"] | components["schemas"]["StudyPauseRequested"] | components["schemas"]["StudyPaused"] | components["schemas"]["StudyResumeRequested"] | components["schemas"]["StudyResumed"] | components["schemas"]["StudyStopRequested"] | components["schemas"]["StudySucceeded"] | components["schemas"]["StudyStopped"] | components["schemas"]["StudyFailed"] | components["schemas"]["PolicyPublished"] | components["schemas"]["PolicyDeleted"] | components["schemas"]["AssignmentPublished"] | components["schemas"]["AssignmentExtended"] | components["schemas"]["AssignmentRegraded"] | components["schemas"]["WorkOpened"] | components["schemas"]["WorkSubmitted"] | components["schemas"]["WorkGraded"] | components["schemas"]["WorkFailed"] | components["schemas"]["WorkAdjusted"] | components["schemas"]["WorkCommented"] | components["schemas"]["RegradeStarted"] | components["schemas"]["RegradeProgressed"] | components["schemas"]["RegradeFinished"] | components["schemas"]["RegradeCommitted"] | components["schemas"]["RegradeDiscarded"] | components["schemas"]["StreamGap"];
        /**
         * ExactChecker
         * @description Output and expectation are the same to the byte.
         */
        ExactChecker: {
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "exact";
        };
        /**
         * ExpectedFile
         * @description A file that a program must write, and its content.
         */
        ExpectedFile: {
            /** @description Content to expect, compared by the checker: text, or an uploaded file. */
            content: string | components["schemas"]["FileRef"];
            /** @description Relative POSIX path, for example `result.csv`. */
            path: string;
        };
        /**
         * Extension
         * @description Later dates, and further attempts, for one member. It also holds for submissions that were made before.
         */
        Extension: {
            /** @description Time from which the member's submissions are not accepted; null: as for all, and not before `due_at`. */
            closes_at?: string | null;
            /** @description Time until which the member is in time; null: as for all. */
            due_at?: string | null;
            /** @description Attempts beyond the maximum. Default: `0`. */
            extra_attempts?: number;
            /** @description Reason, for staff; null: none. */
            reason?: string | null;
        };
        /**
         * ExtensionInEvent
         * @description Later dates, and further attempts, for one member. It also holds for submissions that were made before.
         */
        ExtensionInEvent: {
            /** @description Time from which the member's submissions are not accepted; null: as for all, and not before `due_at`. */
            closes_at?: string | null;
            /** @description Time until which the member is in time; null: as for all. */
            due_at?: string | null;
            /** @description Attempts beyond the maximum. */
            extra_attempts?: number;
            /** @description Reason, for staff; null: none. */
            reason?: string | null;
        };
        /**
         * ExtensionOutput
         * @description Later dates, and further attempts, for one member. It also holds for submissions that were made before.
         */
        ExtensionOutput: {
            /** @description Time from which the member's submissions are not accepted; null: as for all, and not before `due_at`. */
            closes_at: string | null;
            /** @description Time until which the member is in time; null: as for all. */
            due_at: string | null;
            /** @description Attempts beyond the maximum. */
            extra_attempts: number;
            /** @description Reason, for staff; null: none. */
            reason: string | null;
        };
        /**
         * FileInfo
         * @description An uploaded file.
         */
        FileInfo: {
            /**
             * Format: date-time
             * @description Time of the upload.
             */
            created_at: string;
            /** @description Id of the file: `file_…`. */
            id: string;
            /** @description Media type that it was uploaded as, or that goes with its name. */
            media_type: string;
            /** @description Name that it was uploaded under. */
            name: string;
            /** @description SHA-256 of its bytes, in hexadecimal. Equal bytes of a tenant are one file. */
            sha256: string;
            /** @description Size, in bytes. */
            size_bytes: number;
        };
        /**
         * FileRef
         * @description An uploaded file in place of text.
         */
        FileRef: {
            /** @description Id of the file: `file_…`. */
            file: string;
        };
        /**
         * Flatten
         * @description Observations of several dimensions become vectors, images too. Dict and Tuple observations become so anyway.
         */
        Flatten: {
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "flatten";
        };
        /**
         * FloatRange
         * @description A number from `low` to `high`.
         */
        FloatRange: {
            /** @description Largest value. */
            high: number;
            /**
             * @description Selects numbers. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "float";
            /** @description True: drawn on a logarithmic scale. Default: `false`. */
            log?: boolean;
            /** @description Smallest value. */
            low: number;
            /** @description Distance of neighbouring values, counted from `low`; null: any number in the range. */
            step?: number | null;
        };
        /**
         * FloatRangeOutput
         * @description A number from `low` to `high`.
         */
        FloatRangeOutput: {
            /** @description Largest value. */
            high: number;
            /**
             * @description Selects numbers. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "float";
            /** @description True: drawn on a logarithmic scale. */
            log: boolean;
            /** @description Smallest value. */
            low: number;
            /** @description Distance of neighbouring values, counted from `low`; null: any number in the range. */
            step: number | null;
        };
        /**
         * FloatsChecker
         * @description The same words, with a tolerance for numbers: |a-b| <= max(abs_tol, rel_tol*|expected|).
         */
        FloatsChecker: {
            /** @description Absolute tolerance. Default: `1e-09`. */
            abs_tol?: number;
            /** @description True: in outputs, small and capital letters of the English alphabet are the same. Default: `false`. */
            ignore_case?: boolean;
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "floats";
            /** @description Tolerance relative to the expected number. Default: `1e-06`. */
            rel_tol?: number;
        };
        /**
         * FrameStack
         * @description Observations are the last `n` ones, oldest first: vectors one behind the other, images along their channels.
         */
        FrameStack: {
            /** @description Observations in one. Default: `4`. */
            n?: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "frame_stack";
        };
        /**
         * FrameStackInEvent
         * @description Observations are the last `n` ones, oldest first: vectors one behind the other, images along their channels.
         */
        FrameStackInEvent: {
            /** @description Observations in one. */
            n?: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "frame_stack";
        };
        /**
         * FrameStackOutput
         * @description Observations are the last `n` ones, oldest first: vectors one behind the other, images along their channels.
         */
        FrameStackOutput: {
            /** @description Observations in one. */
            n: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "frame_stack";
        };
        /**
         * FunctionGrader
         * @description The function `entry` of the program is called with JSON values and must return one.
         */
        FunctionGrader: {
            /** @description Name of the function to call. Default: `"solve"`. */
            entry?: string;
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "function";
        };
        /**
         * Grade
         * @description Grade of one member at an assignment.
         */
        Grade: {
            /** @description Points that staff have added. */
            adjustment: number;
            /** @description Email address of the person. */
            email: string;
            /** @description Id of the person in the course's own lists. */
            external_id: string;
            /** @description Share of the score that is lost because it is late, from 0 to 1. */
            late_share: number;
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Id of the member. */
            member_id: string;
            /** @description Name of the person. */
            name: string;
            /** @description The grade: points with penalty and adjustment; null: nothing is graded. */
            points: number | null;
            /** @description Its points before penalty and adjustment; null: none. */
            score: number | null;
            /** @description Part of the course. */
            section: string;
            /** @description Id of the submission that counts; null: none. */
            submission_id: string | null;
            /** @description Number of submissions. */
            submissions: number;
            /** @description Time of that submission; null: none. */
            submitted_at: string | null;
            /** @description Verdicts and points of the tests of that submission. */
            tests: components["schemas"]["TestMark"][];
            /** @description Verdict of that submission; null: none. */
            verdict: components["schemas"]["Verdict"] | null;
        };
        /**
         * Grades
         * @description Grades of an assignment: one row for each learner of the course.
         */
        Grades: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description The grades, by external id. */
            items: components["schemas"]["Grade"][];
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Id of the regrade whose results hold; null: none. */
            regrade: string | null;
            /** @description The tests, and those of suites, with how many passed them. */
            tests: components["schemas"]["TestRate"][];
            /** @description Newest version. */
            version: number;
        };
        /**
         * GridSampler
         * @description Tries every combination of the choices.
         */
        GridSampler: {
            /** @description Trials of each combination; ranges in the space are drawn at random for each. Without ranges it must be 1. Default: `1`. */
            draws?: number;
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "grid";
        };
        /**
         * GridSamplerOutput
         * @description Tries every combination of the choices.
         */
        GridSamplerOutput: {
            /** @description Trials of each combination; ranges in the space are drawn at random for each. Without ranges it must be 1. */
            draws: number;
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "grid";
        };
        /**
         * Group
         * @description Tests that are scored together.
         */
        Group: {
            /** @description Id of the group, unique in the request. */
            id: string;
            /**
             * @deprecated
             * @description Old name of `scoring`.
             * @enum {string}
             */
            policy?: "all_or_nothing" | "sum";
            /**
             * @description `sum` adds the points of the tests; `all_or_nothing` gives all of them or none. Default: `"all_or_nothing"`.
             * @enum {string}
             */
            scoring?: "all_or_nothing" | "sum";
            /** @description True: after its first test that is not accepted, the rest of the group is skipped. Default: `false`. */
            stop_on_failure?: boolean;
        };
        /**
         * Health
         * @description The process answers.
         */
        Health: {
            /**
             * @description Always `alive`.
             * @constant
             */
            status: "alive";
        };
        /**
         * HyperbandPruner
         * @description Prunes by successive halving, in brackets that begin it early or late (Li et al., 2018).
         */
        HyperbandPruner: {
            /**
             * @description Selects this pruner. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "hyperband";
            /** @description Reports of a trial before the earliest bracket can prune it. Default: `1`. */
            min_reports?: number;
            /** @description At each halving the best of this many trials goes on. Default: `3`. */
            reduction_factor?: number;
            /** @description Policy evaluations of each training that are compared, at equal distances in environment steps. Default: `9`. */
            reports?: number;
        };
        /**
         * HyperbandPrunerOutput
         * @description Prunes by successive halving, in brackets that begin it early or late (Li et al., 2018).
         */
        HyperbandPrunerOutput: {
            /**
             * @description Selects this pruner. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "hyperband";
            /** @description Reports of a trial before the earliest bracket can prune it. */
            min_reports: number;
            /** @description At each halving the best of this many trials goes on. */
            reduction_factor: number;
            /** @description Policy evaluations of each training that are compared, at equal distances in environment steps. */
            reports: number;
        };
        /**
         * ImageInfo
         * @description An image that submissions can run in.
         */
        ImageInfo: {
            /** @description True: used where a request names no image. */
            default: boolean;
            /** @description Digest of the image. */
            digest: string;
            /** @description Name of the image, as requests give it. */
            name: string;
            /** @description Nodes that have it. */
            nodes: string[];
            /** @description Packages beyond the standard library: version by name. */
            packages: {
                [key: string]: string;
            };
            /** @description Size on disk, in bytes. */
            size_bytes: number;
        };
        /**
         * ImageList
         * @description Images that submissions can run in, by name.
         */
        ImageList: {
            /** @description The images. One name is there twice while nodes have different builds of it. */
            items: components["schemas"]["ImageInfo"][];
        };
        /**
         * IntRange
         * @description A whole number from `low` to `high`.
         */
        IntRange: {
            /** @description Largest value. */
            high: number;
            /**
             * @description Selects whole numbers. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "int";
            /** @description True: drawn on a logarithmic scale. Default: `false`. */
            log?: boolean;
            /** @description Smallest value. */
            low: number;
            /** @description Distance of neighbouring values, counted from `low`. Default: `1`. */
            step?: number;
        };
        /**
         * IntRangeOutput
         * @description A whole number from `low` to `high`.
         */
        IntRangeOutput: {
            /** @description Largest value. */
            high: number;
            /**
             * @description Selects whole numbers. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "int";
            /** @description True: drawn on a logarithmic scale. */
            log: boolean;
            /** @description Smallest value. */
            low: number;
            /** @description Distance of neighbouring values, counted from `low`. */
            step: number;
        };
        /**
         * InteractiveGrader
         * @description The program talks with an interactor of yours over stdin and stdout; the interactor runs in a sandbox of its own and decides, as its `convention` says. If it fails, the verdict is `internal_error`.
         */
        InteractiveGrader: {
            /**
             * @description `testlib`: arguments `input tout expected`, exit status as of a checker. `kattis`: arguments `input expected feedback/`, exit status 42 right, 43 wrong, and files in `feedback/`. `json`: arguments `input expected`; the last line of its stderr is `{"score": 0..1, "message": "…"}`. Default: `"testlib"`.
             * @enum {string}
             */
            convention?: "testlib" | "kattis" | "json";
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "interactive";
            /** @description Limits of the interactor in one test, apart from the submission's. */
            limits?: components["schemas"]["Limits"];
            /** @description Text of the interactor, in Python, or an uploaded file. Submitters cannot read it back. What it prints is the program's stdin, and its stdin is what the program prints; it finds the files `input` and `expected`. */
            source: string | components["schemas"]["FileRef"];
        };
        /**
         * Interval
         * @description Interval that holds the true mean with 95 % confidence (Student's t over seeds).
         */
        Interval: {
            /** @description Upper bound. */
            high: number;
            /** @description Lower bound. */
            low: number;
        };
        /**
         * Invitation
         * @description An invitation, good once: it gives its member a new API key. It replaces the member's earlier invitation.
         */
        Invitation: {
            /**
             * Format: date-time
             * @description Time of expiry.
             */
            expires_at: string;
            /** @description Text of the invitation, shown this once. The link to send is the address of the page, `#invite=` and the text. */
            invitation: string;
            /** @description Id of the member that it is for. */
            member_id: string;
        };
        /**
         * InvitationAcceptance
         * @description An invitation to accept.
         */
        InvitationAcceptance: {
            /** @description Text of the invitation. */
            invitation: string;
        };
        /**
         * InvitationAccepted
         * @description The API key that came of an invitation.
         */
        InvitationAccepted: {
            /** @description Text of the key, shown this once. */
            api_key: string;
            /** @description The member that the key belongs to. */
            member: components["schemas"]["Member"];
        };
        /**
         * InvitationInfo
         * @description The newest invitation of a member, without its text.
         */
        InvitationInfo: {
            /** @description Time when it was accepted; null: it was not. */
            accepted_at: string | null;
            /**
             * Format: date-time
             * @description Time when it was made.
             */
            created_at: string;
            /** @description Id of the principal that made it. */
            created_by: string;
            /**
             * Format: date-time
             * @description Time of expiry.
             */
            expires_at: string;
            /** @description Id of that person in the course's own lists. */
            external_id: string;
            /** @description Id of the API key that came of it; null: none. */
            key_id: string | null;
            /** @description Id of the member that it is for. */
            member_id: string;
            /** @description Time when staff revoked it; null: they did not. */
            revoked_at: string | null;
            /**
             * @description `open` while it can be accepted; `accepted`, `expired` or `revoked`.
             * @enum {string}
             */
            state: "open" | "accepted" | "expired" | "revoked";
        };
        /**
         * InvitationList
         * @description Invitations of a course.
         */
        InvitationList: {
            /** @description The newest invitation of each member that was ever invited, by external ids. */
            items: components["schemas"]["InvitationInfo"][];
        };
        /**
         * InvitationRequest
         * @description An invitation to make for a member.
         */
        InvitationRequest: {
            /** @description Time for which it can be accepted, in seconds. Default: `1209600`. */
            expires_in_s?: number;
        };
        /**
         * InvitationsMade
         * @description Invitations that were made.
         */
        InvitationsMade: {
            /** @description One for each member, in the order of the request. */
            items: components["schemas"]["Invitation"][];
        };
        /**
         * InvitationsRequest
         * @description Invitations to make for several members at once.
         */
        InvitationsRequest: {
            /** @description Time for which it can be accepted, in seconds. Default: `1209600`. */
            expires_in_s?: number;
            /** @description Ids of the members. */
            members: string[];
        };
        /**
         * JsonValue
         * @description Any JSON value.
         */
        JsonValue: Json;
        /**
         * KeptFile
         * @description File that an evaluation has made, kept as an uploaded one of the submitter.
         */
        KeptFile: {
            /** @description Id of the file: `GET /v1/files/{file}/content` returns it. */
            file: string;
            /** @description Name that it was made under. */
            path: string;
            /** @description Size, in bytes. */
            size_bytes: number;
            /** @description Id of the test in which the program wrote it (`collect`); null: it belongs to the whole evaluation. */
            test: string | null;
        };
        /**
         * KeptFileInEvent
         * @description File that an evaluation has made, kept as an uploaded one of the submitter.
         */
        KeptFileInEvent: {
            /** @description Id of the file: `GET /v1/files/{file}/content` returns it. */
            file: string;
            /** @description Name that it was made under. */
            path: string;
            /** @description Size, in bytes. */
            size_bytes: number;
            /** @description Id of the test in which the program wrote it (`collect`); null: it belongs to the whole evaluation. */
            test?: string | null;
        };
        /**
         * KeyCreated
         * @description A new API key.
         */
        KeyCreated: {
            /** @description Text of the key, shown this once. */
            api_key: string;
            /** @description The key, without its secret. */
            key: components["schemas"]["KeyInfo"];
        };
        /**
         * KeyInfo
         * @description An API key, without its secret.
         */
        KeyInfo: {
            /**
             * Format: date-time
             * @description Time of creation.
             */
            created_at: string;
            /** @description Time of expiry; null: it does not expire. */
            expires_at: string | null;
            /** @description Id of the key. */
            id: string;
            /** @description Name for people. */
            name: string;
            /** @description Id of the first key of its rotations, which owns the runs; null: this one. */
            owner: string | null;
            /** @description Beginning of the key's text. */
            prefix: string;
            /** @description Time of revocation; null: not revoked. */
            revoked_at: string | null;
            /** @description Permissions of the key. */
            scopes: components["schemas"]["Scope"][];
            /** @description Tenant that it belongs to. */
            tenant: string;
        };
        /**
         * KeyList
         * @description API keys, oldest first.
         */
        KeyList: {
            /** @description The keys. */
            items: components["schemas"]["KeyInfo"][];
        };
        /**
         * KeyRequest
         * @description An API key to create. Give either `role` or `scopes`.
         */
        KeyRequest: {
            /** @description Lifetime of the key, in seconds; null: it does not expire. */
            expires_in_s?: number | null;
            /** @description Name for people. */
            name: string;
            /** @description Usual set of scopes; null if `scopes` are given. */
            role?: components["schemas"]["Role"] | null;
            /** @description Permissions of the key. */
            scopes?: components["schemas"]["Scope"][];
            /** @description Tenant that the key belongs to; null: the caller's own. Another one needs the scope `operate`. */
            tenant?: string | null;
        };
        /**
         * KeyRotation
         * @description Overlap of the old and the new key.
         */
        KeyRotation: {
            /** @description Time during which the old key keeps working, in seconds. Default: `3600.0`. */
            overlap_s?: number;
        };
        /**
         * LatePolicy
         * @description Penalty for submissions after `due_at`: a share of the score for each day that has begun.
         */
        LatePolicy: {
            /** @description Largest share that is lost. Default: `1.0`. */
            at_most?: number;
            /** @description Time after `due_at` that costs nothing, in seconds. Default: `0`. */
            grace_s?: number;
            /** @description Share of the score that is lost for each day that has begun, from 0 to 1. Default: `0.0`. */
            per_day?: number;
        };
        /**
         * LatePolicyOutput
         * @description Penalty for submissions after `due_at`: a share of the score for each day that has begun.
         */
        LatePolicyOutput: {
            /** @description Largest share that is lost. */
            at_most: number;
            /** @description Time after `due_at` that costs nothing, in seconds. */
            grace_s: number;
            /** @description Share of the score that is lost for each day that has begun, from 0 to 1. */
            per_day: number;
        };
        /**
         * Leaderboard
         * @description Ranking of the members of a course.
         */
        Leaderboard: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Time as of which the ranking is shown; null: it is the present one. */
            frozen_at: string | null;
            /** @description The rows, best first. */
            items: components["schemas"]["LeaderboardRow"][];
        };
        /**
         * LeaderboardPolicy
         * @description Ranking of the members by their counted submissions.
         */
        LeaderboardPolicy: {
            /** @description Time from which learners see the ranking as it was then; null: never. */
            freeze_at?: string | null;
            /** @description Name of the upper end of its interval; null: no interval. */
            high?: string | null;
            /** @description Name of the lower end of its interval; null: no interval. */
            low?: string | null;
            /** @description True: learners see made-up names of each other, and their own. Default: `true`. */
            pseudonyms?: boolean;
            /** @description Id of the test whose value ranks; null: the score ranks. */
            test?: string | null;
            /** @description Name in the value of that test, for example `episode_return`. Default: `"episode_return"`. */
            value?: string;
        };
        /**
         * LeaderboardRow
         * @description One row of a leaderboard.
         */
        LeaderboardRow: {
            /** @description Upper end of its interval; null: none. */
            high: number | null;
            /** @description Lower end of its interval; null: none. */
            low: number | null;
            /** @description True for the row of the caller. */
            me: boolean;
            /** @description Name or pseudonym of the member. */
            name: string;
            /** @description Rank; equal values have the same one. */
            rank: number;
            /**
             * Format: date-time
             * @description Time of the submission that counts.
             */
            submitted_at: string;
            /** @description Value that ranks. */
            value: number;
        };
        /**
         * Limits
         * @description Limits of one test.
         */
        Limits: {
            /** @description CPU time, in seconds. Default: `2.0`. */
            cpu_time_s?: number;
            /**
             * @deprecated
             * @description Old name of `memory_mib`.
             */
            memory_mb?: number;
            /** @description Memory, in MiB. Default: `256`. */
            memory_mib?: number;
            /**
             * @deprecated
             * @description Old name of `output_kib`.
             */
            output_kb?: number;
            /** @description Standard output, and standard error, in KiB each. Default: `256`. */
            output_kib?: number;
            /** @description Processes and threads at one time. Default: `32`. */
            processes?: number;
            /** @description Wall-clock time, in seconds; at least `cpu_time_s`. Default: `6.0`. */
            wall_time_s?: number;
        };
        /**
         * LinesChecker
         * @description The same lines; trailing white space and trailing empty lines do not count.
         */
        LinesChecker: {
            /** @description True: empty lines do not count either, nor how much white space is between the words of a line. Default: `false`. */
            ignore_spacing?: boolean;
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "lines";
        };
        /**
         * LiveAuth
         * @description Authenticate the connection. It is the first message, unless the handshake had an `Authorization` header.
         */
        LiveAuth: {
            /** @description API key, JWT or ticket. */
            token: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "auth";
        };
        /**
         * LiveAuthenticated
         * @description The connection is authenticated.
         */
        LiveAuthenticated: {
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "authenticated";
        };
        /**
         * LiveClientMessage
         * @description A message of the client on `/v1/live`.
         */
        LiveClientMessage: components["schemas"]["LiveAuth"] | components["schemas"]["LiveSubscribe"] | components["schemas"]["LiveUnsubscribe"] | components["schemas"]["LiveWatch"];
        /**
         * LiveError
         * @description A problem document, with `type` `error`. The connection stays open unless it could not be authenticated.
         */
        LiveError: {
            /** @description Stable code of the error. */
            code: string;
            /** @description Explanation for people. */
            detail: string;
            /** @description Field of the message that is wrong; absent if none. */
            field?: string | null;
            /** @description True if the same message may succeed later. */
            retryable: boolean;
            /** @description HTTP status that the error would have. */
            status: number;
            /** @description Stream that the message was about; absent if none. */
            stream?: string | null;
            /** @description Title of the error. */
            title: string;
            /** @description Training that `watch` was about; absent if none. */
            training?: string | null;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "error";
        } & {
            [key: string]: unknown;
        };
        /**
         * LiveFrame
         * @description A picture of the game that the newest policy of a training plays, and the state of the game.
         */
        LiveFrame: {
            /** @description Action of the last step; empty at the beginning of an episode, or if it has more than 32 numbers. */
            action: number[];
            /** @description Checkpoint whose policy plays. */
            checkpoint_id: string;
            /** @description Environment steps that the policy was trained for. */
            env_steps: number;
            /** @description Number of the episode, from 1. */
            episode: number;
            /** @description Sum of its rewards so far; null if that is no finite number. */
            episode_return: number | null;
            /** @description Iteration of the checkpoint. */
            iteration: number;
            /** @description Number of the picture; the next one has another. */
            number: number;
            /** @description Observation that the policy sees next; empty if it has more than 32 numbers. */
            observation: number[];
            /** @description True if the episode has ended with the last step. */
            over: boolean;
            /** @description JPEG file in Base64; null if the environment has no picture. */
            picture?: string | null;
            /** @description Reward of the last step; null at the beginning of an episode. */
            reward: number | null;
            /** @description Steps of the episode so far. */
            step: number;
            /** @description Id of the training. */
            training: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "frame";
        };
        /**
         * LiveHeartbeat
         * @description The connection is alive.
         */
        LiveHeartbeat: {
            /**
             * Format: date-time
             * @description Time of the server.
             */
            time: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "heartbeat";
        };
        /**
         * LiveReconnect
         * @description The connection has reached its longest life and is closed next: connect again, and subscribe after `cursors`.
         */
        LiveReconnect: {
            /** @description Sequence number of the last event sent, by stream. */
            cursors: {
                [key: string]: number;
            };
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "reconnect";
        };
        /**
         * LiveServerMessage
         * @description A message of the server on `/v1/live`; events come between them.
         */
        LiveServerMessage: components["schemas"]["LiveAuthenticated"] | components["schemas"]["LiveSubscribed"] | components["schemas"]["LiveUnsubscribed"] | components["schemas"]["LiveStreamEnd"] | components["schemas"]["LiveFrame"] | components["schemas"]["LiveHeartbeat"] | components["schemas"]["LiveReconnect"] | components["schemas"]["LiveError"];
        /**
         * LiveStreamEnd
         * @description The stream's final event has been sent.
         */
        LiveStreamEnd: {
            /** @description Stream that has ended. */
            stream: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "stream.end";
        };
        /**
         * LiveSubscribe
         * @description Subscribe to a stream.
         */
        LiveSubscribe: {
            /** @description Sequence number to continue after; 0: from the beginning. Default: `0`. */
            after?: number;
            /** @description Stream to follow, for example `trainings/train_…`. */
            stream: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "subscribe";
            /** @description Types of event to send; all if empty. */
            types?: string[];
        };
        /**
         * LiveSubscribed
         * @description The stream is followed; its events come next.
         */
        LiveSubscribed: {
            /** @description Sequence number that it continues after. */
            after: number;
            /** @description Stream that is followed. */
            stream: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "subscribed";
        };
        /**
         * LiveUnsubscribe
         * @description End a subscription.
         */
        LiveUnsubscribe: {
            /** @description Stream that is followed. */
            stream: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "unsubscribe";
        };
        /**
         * LiveUnsubscribed
         * @description The stream is no longer followed.
         */
        LiveUnsubscribed: {
            /** @description Stream that was followed. */
            stream: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "unsubscribed";
        };
        /**
         * LiveWatch
         * @description Ask for a picture of the game that the newest policy of a training plays. It is answered with one `frame`, or an `error` that names the training: ask again once the picture is shown. A client that asks rarely sees fewer pictures of the same game, and there are at most 10 a second.
         */
        LiveWatch: {
            /** @description Number of the picture that was received last; 0: none. Default: `0`. */
            after?: number;
            /** @description Id of the training. */
            training: string;
            /**
             * @description Type of the message. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "watch";
        };
        /**
         * LtiRegistration
         * @description A learning platform that is registered for a course.
         */
        LtiRegistration: {
            /** @description Authorization (OIDC login) endpoint of the platform. */
            authorization_url: string;
            /** @description Client id that the platform gave the tool. */
            client_id: string;
            /** @description Ids of the platform's courses that are accepted; empty: all of the deployments. */
            context_ids: string[];
            /**
             * Format: date-time
             * @description Time of registration.
             */
            created_at: string;
            /** @description Id of the principal that registered it. */
            created_by: string;
            /** @description Ids of the deployments that are accepted. */
            deployment_ids: string[];
            /** @description True: learners of the platform who are not on the roster are added to it. */
            enrol: boolean;
            /** @description Further hosts that grades may be sent to. Those of the four addresses are accepted anyway. */
            grade_hosts: string[];
            /** @description Id of the registration: `lti_…`. */
            id: string;
            /** @description Issuer of the platform's tokens, exactly as the platform shows it. */
            issuer: string;
            /** @description Address of the platform's public keys. */
            jwks_url: string;
            /** @description Name for people. */
            name: string;
            /** @description Tenant that launches lead to. */
            tenant: string;
            /** @description Token endpoint of the platform, for grades. */
            token_url: string;
        };
        /**
         * LtiRegistrationList
         * @description Learning platforms.
         */
        LtiRegistrationList: {
            /** @description The registrations, newest first. */
            items: components["schemas"]["LtiRegistration"][];
        };
        /**
         * LtiRegistrationRequest
         * @description A learning platform to register for a course, with the values that it shows for an external tool (LTI 1.3).
         */
        LtiRegistrationRequest: {
            /** @description Authorization (OIDC login) endpoint of the platform. */
            authorization_url: string;
            /** @description Client id that the platform gave the tool. */
            client_id: string;
            /** @description Ids of the platform's courses that are accepted; empty: all of the deployments. */
            context_ids?: string[];
            /** @description Ids of the deployments that are accepted. */
            deployment_ids: string[];
            /** @description True: learners of the platform who are not on the roster are added to it. Default: `true`. */
            enrol?: boolean;
            /** @description Further hosts that grades may be sent to. Those of the four addresses are accepted anyway. */
            grade_hosts?: string[];
            /** @description Issuer of the platform's tokens, exactly as the platform shows it. */
            issuer: string;
            /** @description Address of the platform's public keys. */
            jwks_url: string;
            /** @description Name for people. */
            name: string;
            /** @description Tenant that launches lead to; null: the caller's own. */
            tenant?: string | null;
            /** @description Token endpoint of the platform, for grades. */
            token_url: string;
        };
        /**
         * LtiTool
         * @description Values of this tool, to enter at a learning platform.
         */
        LtiTool: {
            /** @description Address of the tool's public keys. */
            keys_url: string;
            /** @description Redirect URI, target link and deep linking URL; `?assignment=NAME` leads to an assignment. */
            launch_url: string;
            /** @description Initiate login URL. */
            login_url: string;
        };
        /**
         * Marks
         * @description Result of judging a submission once.
         */
        Marks: {
            /** @description Points of the tests together. */
            max_score: number;
            /** @description Value that the leaderboard ranks; null: none. */
            measure: components["schemas"]["Measure"] | null;
            /** @description Points of the tests that were earned. */
            score: number;
            /** @description Results of the tests. */
            tests: components["schemas"]["TestMark"][];
            /** @description First verdict that is not `accepted`, in test order. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * MarksInEvent
         * @description Result of judging a submission once.
         */
        MarksInEvent: {
            /** @description Points of the tests together. */
            max_score: number;
            /** @description Value that the leaderboard ranks; null: none. */
            measure?: components["schemas"]["MeasureInEvent"] | null;
            /** @description Points of the tests that were earned. */
            score: number;
            /** @description Results of the tests. */
            tests: components["schemas"]["TestMarkInEvent"][];
            /** @description First verdict that is not `accepted`, in test order. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * Measure
         * @description Value that a leaderboard ranks, with its interval.
         */
        Measure: {
            /** @description Upper end of its interval; null: none. */
            high: number | null;
            /** @description Lower end of its interval; null: none. */
            low: number | null;
            /** @description The value. */
            value: number;
        };
        /**
         * MeasureInEvent
         * @description Value that a leaderboard ranks, with its interval.
         */
        MeasureInEvent: {
            /** @description Upper end of its interval; null: none. */
            high?: number | null;
            /** @description Lower end of its interval; null: none. */
            low?: number | null;
            /** @description The value. */
            value: number;
        };
        /**
         * MedianPruner
         * @description Prunes a trial whose best report so far is below the median of the other trials' reports at that point.
         */
        MedianPruner: {
            /**
             * @description Selects this pruner. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "median";
            /** @description Policy evaluations of each training that are compared, at equal distances in environment steps. Default: `10`. */
            reports?: number;
            /** @description Trials that must have ended before any is pruned. Default: `5`. */
            startup_trials?: number;
            /** @description Reports of a trial before it can be pruned. Default: `1`. */
            warmup_reports?: number;
        };
        /**
         * MedianPrunerOutput
         * @description Prunes a trial whose best report so far is below the median of the other trials' reports at that point.
         */
        MedianPrunerOutput: {
            /**
             * @description Selects this pruner. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "median";
            /** @description Policy evaluations of each training that are compared, at equal distances in environment steps. */
            reports: number;
            /** @description Trials that must have ended before any is pruned. */
            startup_trials: number;
            /** @description Reports of a trial before it can be pruned. */
            warmup_reports: number;
        };
        /**
         * Member
         * @description A person of a course.
         */
        Member: {
            /**
             * Format: date-time
             * @description Time when the member was added.
             */
            created_at: string;
            /** @description Email address of the person. */
            email: string;
            /** @description Id of the person in the course's own lists. */
            external_id: string;
            /** @description Id of the member: `mem_…`. */
            id: string;
            /** @description Name of the person. */
            name: string;
            /**
             * @description `learner` is graded, `staff` is not.
             * @enum {string}
             */
            role: "learner" | "staff";
            /** @description Part of the course. */
            section: string;
            /**
             * @description `removed` members cannot submit any more; their grades stay.
             * @enum {string}
             */
            state: "active" | "removed";
            /** @description Tenant that the member belongs to. */
            tenant: string;
        };
        /**
         * MemberList
         * @description Members of a course.
         */
        MemberList: {
            /** @description The members, by their external ids. */
            items: components["schemas"]["Member"][];
        };
        /**
         * MemberRequest
         * @description A row of a roster: a person of the course, known by `external_id`.
         */
        MemberRequest: {
            /** @description Email address of the person. */
            email?: string;
            /** @description Id of the person in your own lists, for example the student number; unique in the course. */
            external_id: string;
            /** @description Id of an API key that the person has already; null: none. */
            key_id?: string | null;
            /** @description Name of the person. */
            name?: string;
            /**
             * @description `learner` is graded; `staff` may try assignments and is not. Default: `"learner"`.
             * @enum {string}
             */
            role?: "learner" | "staff";
            /** @description Part of the course, for example a tutorial group. */
            section?: string;
            /** @description Subject (`sub`) of the person's tokens of the identity provider; null: none. */
            sub?: string | null;
        };
        /**
         * MemberRequestOutput
         * @description A row of a roster: a person of the course, known by `external_id`.
         */
        MemberRequestOutput: {
            /** @description Email address of the person. */
            email: string;
            /** @description Id of the person in your own lists, for example the student number; unique in the course. */
            external_id: string;
            /** @description Id of an API key that the person has already; null: none. */
            key_id: string | null;
            /** @description Name of the person. */
            name: string;
            /**
             * @description `learner` is graded; `staff` may try assignments and is not.
             * @enum {string}
             */
            role: "learner" | "staff";
            /** @description Part of the course, for example a tutorial group. */
            section: string;
            /** @description Subject (`sub`) of the person's tokens of the identity provider; null: none. */
            sub: string | null;
        };
        /**
         * MetricSeries
         * @description Metrics over time: columns of equal length, one row for each iteration that is kept. Iterations repeated after a recovery are there once.
         */
        MetricSeries: {
            /** @description Environment steps at each iteration. */
            env_steps: number[];
            /** @description Iterations. */
            iteration: number[];
            /** @description Values of each metric; null if an iteration has no such metric. */
            metrics: {
                [key: string]: (number | null)[];
            };
            /** @description True if the simulated engine runs it, which trains nothing. */
            simulated: boolean;
            /** @description Every `stride`-th iteration is kept, and the last. */
            stride: number;
            /** @description Time spent on training at each iteration, in seconds. */
            train_wall_s: number[];
            /** @description Id of the training. */
            training_id: string;
        };
        /**
         * MyStatus
         * @description An assignment from the point of view of the calling member.
         */
        MyStatus: {
            /** @description Adjustment of the member's grade that holds, with its reason; null: none. */
            adjustment: components["schemas"]["AdjustmentRecord"] | null;
            /** @description Attempts of the member. */
            attempts: components["schemas"]["AttemptsState"];
            /** @description Time from which nothing is accepted; null: never. */
            closes_at: string | null;
            /** @description Id of the submission that counts; null: none yet. */
            counted_submission: string | null;
            /**
             * @description `upcoming`, `open`, `late` or `closed`, with the member's own dates.
             * @enum {string}
             */
            date_state: "upcoming" | "open" | "late" | "closed";
            /** @description Time until which the member is in time; null: none is late. */
            due_at: string | null;
            /** @description Share of the score that a submission made now loses because it is late, from 0 to 1. */
            late_share: number;
            /** @description Points of the member's grade, with penalty and adjustments; null: nothing is graded yet. */
            points: number | null;
        };
        /**
         * NodeLoad
         * @description Resources of one node of the Ray cluster.
         */
        NodeLoad: {
            /** @description Address of the node. */
            address: string;
            /** @description CPUs that Ray gives out. */
            cpus: number;
            /** @description True if the node is about to leave: nothing new is placed on it, and what runs there moves. */
            draining: boolean;
            /** @description CPUs that nothing has reserved. */
            free_cpus: number;
            /** @description GPUs that Ray gives out. */
            gpus: number;
            /** @description Trainings that still have a part on the node, while it is draining. */
            moving: number;
            /** @description Id of the node. */
            node: string;
            /** @description Ray's label `role` of the node; null: none. */
            role: string | null;
        };
        /**
         * NormalizerInfo
         * @description Normalisation of observations before the network: `clip((x - mean) / sqrt(var + epsilon), -clip, clip)`.
         */
        NormalizerInfo: {
            /** @description Largest absolute value of a normalised component. */
            clip: number;
            /** @description Number added to the variances. */
            epsilon: number;
            /** @description Mean of each component. */
            mean: number[];
            /** @description Variance of each component. */
            var: number[];
        };
        /**
         * NotebookGrader
         * @description A Jupyter notebook is executed once, cell by cell; each test is a cell of its own. The executed notebook is kept.
         */
        NotebookGrader: {
            /** @description Paths of files that are kept if the notebook writes them: `files` of the evaluation. Not with hidden tests: their cells call the notebook's functions, which could write down what they are given. */
            collect?: string[];
            /**
             * @description `separate`: test cells run in a sandbox of their own, where names of the notebook are stand-ins, so that no submission can read or change a test. `shared`: they run in the notebook's process, as in Jupyter; a submission could forge its results, which say so. Default: `"separate"`.
             * @enum {string}
             */
            isolation?: "separate" | "shared";
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "notebook";
            /** @description Limits of the test cells' own process: the CPU time of all of them together, and the wall time of one, apart from the notebook's. The `limits` of the request are those of the notebook: CPU time of all cells with their tests, wall time of one cell. */
            limits?: components["schemas"]["Limits"];
        };
        /**
         * Page[Evaluation]
         * @description One page of a list, newest first.
         */
        Page_Evaluation_: {
            /** @description The documents of this page. */
            items: components["schemas"]["Evaluation"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Page[FileInfo]
         * @description One page of a list, newest first.
         */
        Page_FileInfo_: {
            /** @description The documents of this page. */
            items: components["schemas"]["FileInfo"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Page[PolicyInfo]
         * @description One page of a list, newest first.
         */
        Page_PolicyInfo_: {
            /** @description The documents of this page. */
            items: components["schemas"]["PolicyInfo"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Page[Study]
         * @description One page of a list, newest first.
         */
        Page_Study_: {
            /** @description The documents of this page. */
            items: components["schemas"]["Study"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Page[Training]
         * @description One page of a list, newest first.
         */
        Page_Training_: {
            /** @description The documents of this page. */
            items: components["schemas"]["Training"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Page[UserEnvironment]
         * @description One page of a list, newest first.
         */
        Page_UserEnvironment_: {
            /** @description The documents of this page. */
            items: components["schemas"]["UserEnvironment"][];
            /** @description Value for `?cursor=` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /**
         * Passage
         * @description Lines of a submission that are alike in the other one.
         */
        Passage: {
            /** @description Number of the first line, from 1. */
            first_line: number;
            /** @description Number of the last line. */
            last_line: number;
            /** @description Path of the file. Of a notebook, the lines are those of its code cells, one after the other. */
            path: string;
        };
        /**
         * PlatformLoad
         * @description Load of the platform at one moment.
         */
        PlatformLoad: {
            /**
             * Format: date-time
             * @description Time of the measurement.
             */
            at: string;
            /** @description Time of the last complete back-up; null: none is known. */
            last_backup_at: string | null;
            /** @description Nodes of the Ray cluster. */
            nodes: components["schemas"]["NodeLoad"][];
            /** @description Age of the evaluation that has waited longest, in seconds; 0: none waits. */
            oldest_queued_s: number;
            /** @description Nodes with sandboxes. */
            sandboxes: components["schemas"]["SandboxLoad"][];
            /** @description The store. */
            store: components["schemas"]["StoreLoad"];
            /** @description Tenants with unfinished work, the busiest first. */
            tenants: components["schemas"]["TenantLoad"][];
            /** @description Messages to webhooks that were not accepted yet. */
            webhooks_waiting: number;
        };
        /**
         * PolicyDeleted
         * @description A policy was deleted.
         */
        PolicyDeleted: {
            /** @description Id of the principal that deleted it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "policy.deleted";
        };
        /**
         * PolicyEvaluation
         * @description Result of a policy evaluation that was asked for, and its recorded episodes.
         */
        PolicyEvaluation: {
            /** @description Faults of an uploaded environment; each one cut an episode short. */
            environment_faults: number;
            /** @description The first, the best, the worst and the last episode. */
            episodes: components["schemas"]["EpisodeInfo"][];
            /** @description Result over all episodes. */
            report: components["schemas"]["EvaluationReport"];
        };
        /**
         * PolicyInfo
         * @description A published policy.
         */
        PolicyInfo: {
            /** @description Space of the actions that it returns. Box actions are clipped to its bounds. */
            action_space: components["schemas"]["SpaceInfo"];
            /** @description Algorithm that trained it. */
            algorithm: string;
            /** @description Id of the checkpoint that it was copied from. */
            checkpoint_id: string;
            /**
             * Format: date-time
             * @description Time of publication.
             */
            created_at: string;
            /** @description Time of deletion; null: not deleted. */
            deleted_at: string | null;
            /** @description Id of the environment that it was trained on. */
            env: string;
            /**
             * @description Library that was asked to step that environment.
             * @enum {string}
             */
            env_backend: "auto" | "envpool" | "gymnasium";
            /** @description Keyword arguments of that environment. */
            env_config: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Environment steps of the training at that checkpoint. */
            env_steps: number;
            /** @description Mean return at that checkpoint; null: no episode had ended. */
            episode_return_mean: number | null;
            /** @description Id of the policy: `pol_…`. */
            id: string;
            /** @description Iterations of the training at that checkpoint. */
            iteration: number;
            /** @description Time limit of an episode that was asked for; null: the environment's own. */
            max_episode_steps: number | null;
            /** @description Name for people; null: none. */
            name: string | null;
            /** @description Normalisation of observations; null: none. */
            normalizer: components["schemas"]["NormalizerInfo"] | null;
            /** @description Space of the observations that it takes. */
            observation_space: components["schemas"]["SpaceInfo"];
            /** @description Number of parameters of the network. */
            parameters: number;
            /** @description SHA-256 of its archive, checked whenever the policy is loaded. */
            sha256: string;
            /** @description Size of its archive, in bytes. */
            size_bytes: number;
            /**
             * @description `deleted` policies cannot act any more.
             * @enum {string}
             */
            state: "published" | "deleted";
            /** @description Id of the training that it comes from. */
            training_id: string;
            /** @description Wrappers around that environment; observations are what comes out of them. */
            wrappers: (components["schemas"]["FrameStackOutput"] | components["schemas"]["TimeAware"] | components["schemas"]["Flatten"] | components["schemas"]["ClipRewardOutput"] | components["schemas"]["ScaleReward"] | components["schemas"]["ActionMaskOutput"])[];
        };
        /**
         * PolicyInfoInEvent
         * @description A published policy.
         */
        PolicyInfoInEvent: {
            /** @description Space of the actions that it returns. Box actions are clipped to its bounds. */
            action_space: components["schemas"]["SpaceInfoInEvent"];
            /** @description Algorithm that trained it. */
            algorithm: string;
            /** @description Id of the checkpoint that it was copied from. */
            checkpoint_id: string;
            /**
             * Format: date-time
             * @description Time of publication.
             */
            created_at: string;
            /** @description Time of deletion; null: not deleted. */
            deleted_at?: string | null;
            /** @description Id of the environment that it was trained on. */
            env: string;
            /**
             * @description Library that was asked to step that environment.
             * @enum {string}
             */
            env_backend?: "auto" | "envpool" | "gymnasium";
            /** @description Keyword arguments of that environment. */
            env_config?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Environment steps of the training at that checkpoint. */
            env_steps: number;
            /** @description Mean return at that checkpoint; null: no episode had ended. */
            episode_return_mean?: number | null;
            /** @description Id of the policy: `pol_…`. */
            id: string;
            /** @description Iterations of the training at that checkpoint. */
            iteration: number;
            /** @description Time limit of an episode that was asked for; null: the environment's own. */
            max_episode_steps?: number | null;
            /** @description Name for people; null: none. */
            name?: string | null;
            /** @description Normalisation of observations; null: none. */
            normalizer?: components["schemas"]["NormalizerInfo"] | null;
            /** @description Space of the observations that it takes. */
            observation_space: components["schemas"]["SpaceInfoInEvent"];
            /** @description Number of parameters of the network. */
            parameters: number;
            /** @description SHA-256 of its archive, checked whenever the policy is loaded. */
            sha256: string;
            /** @description Size of its archive, in bytes. */
            size_bytes: number;
            /**
             * @description `deleted` policies cannot act any more.
             * @enum {string}
             */
            state?: "published" | "deleted";
            /** @description Id of the training that it comes from. */
            training_id: string;
            /** @description Wrappers around that environment; observations are what comes out of them. */
            wrappers?: (components["schemas"]["FrameStackInEvent"] | components["schemas"]["TimeAware"] | components["schemas"]["Flatten"] | components["schemas"]["ClipRewardInEvent"] | components["schemas"]["ScaleReward"] | components["schemas"]["ActionMaskInEvent"])[];
        };
        /**
         * PolicyPublished
         * @description A policy was published.
         */
        PolicyPublished: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description The policy. */
            policy: components["schemas"]["PolicyInfoInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "policy.published";
        };
        /**
         * PolicyRequest
         * @description The policy to publish (`POST /v1/policies`): of a checkpoint, or of a training.
         */
        PolicyRequest: {
            /** @description Id of the checkpoint; null if `training_id` is given. */
            checkpoint_id?: string | null;
            /** @description Name for people; null: none. */
            name?: string | null;
            /** @description Id of the training; null if `checkpoint_id` is given. */
            training_id?: string | null;
            /** @description of `training_id`; best where left out */
            which?: ("best" | "last") | null;
        };
        /**
         * PopulationSampler
         * @description Population-based training (Jaderberg et al., 2017). Each generation of trials continues from checkpoints of the one before: the worst members copy a good member's checkpoint and change its hyperparameters.
         */
        PopulationSampler: {
            /** @description Generations; each trains an equal part of `training.stop.env_steps`. Default: `5`. */
            generations?: number;
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "population";
            /** @description Trials of each generation. Default: `8`. */
            members?: number;
            /** @description Share of members that is replaced, and share that is copied. Default: `0.25`. */
            quantile?: number;
            /** @description Probability that a changed hyperparameter is drawn from the space again; otherwise it is multiplied by 0.8 or 1.25. Default: `0.25`. */
            resample?: number;
        };
        /**
         * PopulationSamplerOutput
         * @description Population-based training (Jaderberg et al., 2017). Each generation of trials continues from checkpoints of the one before: the worst members copy a good member's checkpoint and change its hyperparameters.
         */
        PopulationSamplerOutput: {
            /** @description Generations; each trains an equal part of `training.stop.env_steps`. */
            generations: number;
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "population";
            /** @description Trials of each generation. */
            members: number;
            /** @description Share of members that is replaced, and share that is copied. */
            quantile: number;
            /** @description Probability that a changed hyperparameter is drawn from the space again; otherwise it is multiplied by 0.8 or 1.25. */
            resample: number;
        };
        /**
         * Problem
         * @description An error (RFC 9457). Act on `code`, which is stable. Further members depend on it.
         */
        Problem: {
            /** @description Stable code of the error. */
            code: string;
            /** @description Explanation of this error for people: what is wrong, what is accepted, what to do. */
            detail: string;
            /** @description Nearest names that exist; absent unless a name is unknown. */
            did_you_mean?: string[] | null;
            /** @description All fields that are wrong, up to 20; absent unless the request is invalid. */
            errors?: components["schemas"]["ProblemField"][] | null;
            /** @description Dotted path into the request, for example `tests.0.points`; absent if no field is at fault. */
            field?: string | null;
            /** @description Id of the request, as in `X-Request-Id`; absent in a row of a batch. */
            request_id?: string | null;
            /** @description Time to wait before another attempt, in seconds; absent if unknown. */
            retry_after_s?: number | null;
            /** @description True if the same request may succeed later. */
            retryable: boolean;
            /** @description HTTP status. */
            status: number;
            /** @description Title of the kind of error. */
            title: string;
            /** @description URN of the kind of error: `urn:rlp:problem:` and the code. */
            type: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * ProblemField
         * @description One field of a request that is wrong.
         */
        ProblemField: {
            /** @description Dotted path into the request, for example `tests.0.points`; empty: the request as a whole. */
            field: string;
            /** @description Explanation for people. */
            message: string;
        };
        /**
         * ProgramChecker
         * @description A program of yours decides. It runs in a sandbox of its own, finds the files `input`, `expected` and `output` in its working folder, and answers as its `convention` says. If it fails, the verdict is `internal_error`.
         */
        ProgramChecker: {
            /**
             * @description `testlib`: arguments `input output expected`; exit status 0 right, 1 wrong, 2, 4 or 8 wrong format, 3 failed, 7 partial with `points X` (of the test's points) on stderr. `kattis`: arguments `input expected feedback/`, and the output on stdin; exit status 42 right, 43 wrong; it may write `feedback/score.txt` (0 to 1) and `feedback/teammessage.txt`. `json`: the last line printed is `{"score": 0..1, "message": "…"}`. Default: `"testlib"`.
             * @enum {string}
             */
            convention?: "testlib" | "kattis" | "json";
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "program";
            /** @description Limits of one check, apart from the submission's. */
            limits?: components["schemas"]["Limits"];
            /** @description Text of the checker, in Python, or an uploaded file. Submitters cannot read it back. */
            source: string | components["schemas"]["FileRef"];
        };
        /**
         * Progress
         * @description Counters of a training over its whole life, across restarts.
         */
        Progress: {
            /** @description Environment steps. */
            env_steps: number;
            /** @description Episodes that have ended. */
            episodes: number;
            /** @description Iterations. */
            iteration: number;
            /** @description Time spent on training, in seconds. */
            train_wall_s: number;
        };
        /**
         * ProgressInEvent
         * @description Counters of a training over its whole life, across restarts.
         */
        ProgressInEvent: {
            /** @description Environment steps. */
            env_steps?: number;
            /** @description Episodes that have ended. */
            episodes?: number;
            /** @description Iterations. */
            iteration?: number;
            /** @description Time spent on training, in seconds. */
            train_wall_s?: number;
        };
        /**
         * PytestGrader
         * @description A pytest suite imports the submission (`from main import solve`) and calls it. Each of its tests has a result.
         */
        PytestGrader: {
            /** @description Further files of the suite: `conftest.py`, `test_more.py`, data. Submitters cannot read them back. */
            files?: components["schemas"]["SourceFile"][];
            /**
             * @description `separate`: the suite runs in a sandbox of its own and calls the submission's functions from there, so that no submission can read or change a test. `shared`: one process, for suites that need the objects themselves; a submission could forge its results, which say so. Default: `"separate"`.
             * @enum {string}
             */
            isolation?: "separate" | "shared";
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "pytest";
            /** @description Limits of the suite's own process: the CPU time of all tests together, and the wall time of one of them, apart from the submission's. With `shared`, they are the limits of collecting the tests. */
            limits?: components["schemas"]["Limits"];
            /** @description Text of `test_suite.py`, or an uploaded file. Submitters cannot read it back. Null: the tests are in `files`. */
            suite?: (string | components["schemas"]["FileRef"]) | null;
        };
        /**
         * QuotaState
         * @description Use of one quota.
         */
        QuotaState: {
            /** @description Amount that may be used; null: no limit. */
            limit: number | null;
            /** @description Name of the quota. */
            quota: string;
            /** @description Time at which `used` becomes 0; null: it does not reset by itself. */
            resets_at: string | null;
            /** @description Amount that is used. */
            used: number;
        };
        /**
         * Quotas
         * @description Limits of one tenant; null: none. A day is a UTC day. `sandbox_cpu_s_per_day` and `checkpoint_bytes` are checked when something new is requested: runs that were accepted may exceed them.
         */
        Quotas: {
            /** @description Size of all stored checkpoints, in bytes. */
            checkpoint_bytes?: number | null;
            /** @description Evaluations that wait or run at one time. */
            concurrent_evaluations?: number | null;
            /** @description Studies that have not ended. */
            concurrent_studies?: number | null;
            /** @description Trainings that wait or run at one time. */
            concurrent_trainings?: number | null;
            /** @description Environment steps of trainings a day. A training that exceeds it is stopped, with a checkpoint. */
            env_steps_per_day?: number | null;
            /** @description Events of all runs a day. A training that exceeds it is stopped, with a checkpoint. */
            events_per_day?: number | null;
            /** @description Size of all uploaded files, in bytes. */
            file_bytes?: number | null;
            /** @description Published policies. */
            policies?: number | null;
            /** @description CPU time of tests a day, in seconds. */
            sandbox_cpu_s_per_day?: number | null;
            /** @description Size of the requests and events of all runs that are kept, in bytes; checkpoints count apart. A training that exceeds it is stopped, with a checkpoint. */
            stored_bytes?: number | null;
            /** @description Share of the tenant in each round of the queues. Default: `1`. */
            weight?: number;
        };
        /**
         * QuotasOutput
         * @description Limits of one tenant; null: none. A day is a UTC day. `sandbox_cpu_s_per_day` and `checkpoint_bytes` are checked when something new is requested: runs that were accepted may exceed them.
         */
        QuotasOutput: {
            /** @description Size of all stored checkpoints, in bytes. */
            checkpoint_bytes: number | null;
            /** @description Evaluations that wait or run at one time. */
            concurrent_evaluations: number | null;
            /** @description Studies that have not ended. */
            concurrent_studies: number | null;
            /** @description Trainings that wait or run at one time. */
            concurrent_trainings: number | null;
            /** @description Environment steps of trainings a day. A training that exceeds it is stopped, with a checkpoint. */
            env_steps_per_day: number | null;
            /** @description Events of all runs a day. A training that exceeds it is stopped, with a checkpoint. */
            events_per_day: number | null;
            /** @description Size of all uploaded files, in bytes. */
            file_bytes: number | null;
            /** @description Published policies. */
            policies: number | null;
            /** @description CPU time of tests a day, in seconds. */
            sandbox_cpu_s_per_day: number | null;
            /** @description Size of the requests and events of all runs that are kept, in bytes; checkpoints count apart. A training that exceeds it is stopped, with a checkpoint. */
            stored_bytes: number | null;
            /** @description Share of the tenant in each round of the queues. */
            weight: number;
        };
        /**
         * RandomSampler
         * @description Draws each trial at random, regardless of the others.
         */
        RandomSampler: {
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "random";
        };
        /**
         * Readiness
         * @description Readiness of the platform.
         */
        Readiness: {
            /** @description State of each part that the platform depends on. */
            dependencies: components["schemas"]["DependencyState"][];
            /** @description Evaluations that wait. */
            queued_evaluations: number;
            /** @description Evaluations that run. */
            running_evaluations: number;
            /** @description Trainings that run. */
            running_trainings: number;
            /**
             * @description `degraded`: no sandbox, so evaluations are refused with 503 and trainings continue.
             * @enum {string}
             */
            status: "ready" | "degraded" | "unavailable";
        };
        /**
         * Regrade
         * @description Regrade of an assignment.
         */
        Regrade: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Id of the assignment. */
            assignment_id: string;
            /**
             * Format: date-time
             * @description Time of the request.
             */
            created_at: string;
            /** @description Id of the principal that asked for it. */
            created_by: string;
            /** @description Number of submissions judged so far. */
            done: number;
            /** @description True if it waits to be committed. */
            dry_run: boolean;
            /** @description Time when everything was judged; null: not yet. */
            finished_at: string | null;
            /** @description Id of the regrade: `regr_…`. Its events are in the stream `assignments/regr_…`. */
            id: string;
            /**
             * @description `ready`: everything is judged, and it can be committed.
             * @enum {string}
             */
            state: "running" | "ready" | "committed" | "discarded";
            /** @description Number of submissions to judge. */
            total: number;
            /** @description Version that it judges by. */
            version: number;
        };
        /**
         * RegradeChange
         * @description Member whose grade a regrade changes.
         */
        RegradeChange: {
            /** @description Points of the grade with it; null: none. */
            after: number | null;
            /** @description Points of the grade that holds without it; null: none. */
            before: number | null;
            /** @description Id of the person in the course's own lists. */
            external_id: string;
            /** @description Id of the member. */
            member_id: string;
            /** @description Name of the person. */
            name: string;
        };
        /**
         * RegradeCommitted
         * @description The regrade's results hold.
         */
        RegradeCommitted: {
            /** @description Id of the principal that committed it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "regrade.committed";
        };
        /**
         * RegradeDiscarded
         * @description The regrade was abandoned; it changes no grade.
         */
        RegradeDiscarded: {
            /** @description Id of the principal that abandoned it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "regrade.discarded";
        };
        /**
         * RegradeFinished
         * @description All submissions were judged; the regrade can be committed.
         */
        RegradeFinished: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of submissions judged. */
            total: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "regrade.finished";
        };
        /**
         * RegradeList
         * @description Regrades of an assignment, newest first.
         */
        RegradeList: {
            /** @description The regrades. */
            items: components["schemas"]["Regrade"][];
        };
        /**
         * RegradeProgressed
         * @description Further submissions were judged.
         */
        RegradeProgressed: {
            /** @description Number of submissions judged so far. */
            done: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of submissions to judge. */
            total: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "regrade.progressed";
        };
        /**
         * RegradeReport
         * @description Regrade with the members whose grades it changes.
         */
        RegradeReport: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Id of the assignment. */
            assignment_id: string;
            /** @description Members who gain or lose, greatest loss first; empty until it is ready. */
            changes: components["schemas"]["RegradeChange"][];
            /**
             * Format: date-time
             * @description Time of the request.
             */
            created_at: string;
            /** @description Id of the principal that asked for it. */
            created_by: string;
            /** @description Number of submissions judged so far. */
            done: number;
            /** @description True if it waits to be committed. */
            dry_run: boolean;
            /** @description Time when everything was judged; null: not yet. */
            finished_at: string | null;
            /** @description Number of members who gain. */
            gained: number;
            /** @description Id of the regrade: `regr_…`. Its events are in the stream `assignments/regr_…`. */
            id: string;
            /** @description Number of members who lose. */
            lost: number;
            /**
             * @description `ready`: everything is judged, and it can be committed.
             * @enum {string}
             */
            state: "running" | "ready" | "committed" | "discarded";
            /** @description Number of submissions to judge. */
            total: number;
            /** @description Version that it judges by. */
            version: number;
        };
        /**
         * RegradeRequest
         * @description Judge all submissions again.
         */
        RegradeRequest: {
            /** @description True: list who gains and who loses, and change no grade until it is committed. False: commit at the end. Default: `true`. */
            dry_run?: boolean;
            /** @description Version to judge by; null: the newest. */
            version?: number | null;
        };
        /**
         * RegradeStarted
         * @description A regrade began.
         */
        RegradeStarted: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description True if it waits to be committed. */
            dry_run: boolean;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of submissions to judge. */
            total: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "regrade.started";
            /** @description Version that it judges by. */
            version: number;
        };
        /**
         * Resources
         * @description Resources that a training is placed on.
         */
        Resources: {
            /** @description Remote env runners; 0: the trainer samples by itself. Default: `0`. */
            num_env_runners?: number;
            /** @description Environments that each env runner steps; null: as the preset or the algorithm says. */
            num_envs_per_env_runner?: number | null;
            /** @description GPUs of each learner. Default: `0`. */
            num_gpus_per_learner?: number;
            /** @description Remote learners; 0: the trainer learns by itself. Default: `0`. */
            num_learners?: number;
            /** @description 1: env runners sample while the learner learns, with weights that are one update old. Default: `0`. */
            pipeline_depth?: number;
        };
        /**
         * ResourcesOutput
         * @description Resources that a training is placed on.
         */
        ResourcesOutput: {
            /** @description Remote env runners; 0: the trainer samples by itself. */
            num_env_runners: number;
            /** @description Environments that each env runner steps; null: as the preset or the algorithm says. */
            num_envs_per_env_runner: number | null;
            /** @description GPUs of each learner. */
            num_gpus_per_learner: number;
            /** @description Remote learners; 0: the trainer learns by itself. */
            num_learners: number;
            /** @description 1: env runners sample while the learner learns, with weights that are one update old. */
            pipeline_depth: number;
        };
        /**
         * RewardFunction
         * @description Function that computes the rewards to train on: `entry(observation, action, next_observation, reward, terminated, truncated)` is called for each step and returns a number. Returns of episodes, policy evaluations and ranks stay the environment's own. Give `source` or `file`.
         */
        RewardFunction: {
            /** @description Name of the function. Default: `"reward"`. */
            entry?: string;
            /** @description Id of an uploaded file with that module. The training keeps its text as `source`. */
            file?: string | null;
            /** @description Python module that defines the function. */
            source?: string | null;
        };
        /**
         * RewardFunctionOutput
         * @description Function that computes the rewards to train on: `entry(observation, action, next_observation, reward, terminated, truncated)` is called for each step and returns a number. Returns of episodes, policy evaluations and ranks stay the environment's own. Give `source` or `file`.
         */
        RewardFunctionOutput: {
            /** @description Name of the function. */
            entry: string;
            /** @description Id of an uploaded file with that module. The training keeps its text as `source`. */
            file: string | null;
            /** @description Python module that defines the function. */
            source: string | null;
        };
        /**
         * Role
         * @description Usual set of scopes.
         * @enum {string}
         */
        Role: "learner" | "researcher" | "instructor" | "operator";
        /**
         * Roster
         * @description People to add to a course, or to change. Other members stay unchanged.
         */
        Roster: {
            /**
             * @description Credentials of each new person: an API key, an invitation, or none. Default: `"none"`.
             * @enum {string}
             */
            credentials?: "none" | "keys" | "invitations";
            /** @description One row for each person. */
            members: components["schemas"]["MemberRequest"][];
        };
        /**
         * RosterFile
         * @description People read from a file, as `POST /v1/members:import` takes them, at most 1,000 at a time.
         */
        RosterFile: {
            /** @description The people, in the order of the file. */
            members: components["schemas"]["MemberRequestOutput"][];
            /** @description Columns of the file that nothing was read from. */
            unused: string[];
        };
        /**
         * RosterResult
         * @description Results of a roster.
         */
        RosterResult: {
            /** @description One result for each row, in the order of the request. */
            results: components["schemas"]["RosterRow"][];
        };
        /**
         * RosterRow
         * @description Result of one row of a roster.
         */
        RosterRow: {
            /** @description Text of the member's new API key, shown this once; null: none was made. */
            api_key: string | null;
            /** @description True if the member is new. */
            created: boolean;
            /** @description Text of the member's invitation, shown this once; null: none was made. */
            invitation: string | null;
            /** @description The member as it is now. */
            member: components["schemas"]["Member"];
        };
        /**
         * RunPatch
         * @description Changes of a run's name, labels and notes. Fields that are left out stay unchanged.
         */
        RunPatch: {
            /** @description Labels to set; a label with the value null is removed, and the others stay. */
            labels?: {
                [key: string]: string | null;
            };
            /** @description New name; null: none. */
            name?: string | null;
            /** @description New notes; null: none. */
            notes?: string | null;
        };
        /**
         * SandboxInfo
         * @description Sandbox that judged a submission.
         */
        SandboxInfo: {
            /** @description Version of the control groups that metered it, for example `v2`. */
            cgroup: string;
            /** @description Name of the image. */
            image: string;
            /** @description Digest of the image. */
            image_digest: string;
            /** @description Container runtime, for example `runc`. */
            runtime: string;
            /** @description Digest of the system call filter. */
            seccomp_digest: string;
            /** @description Isolation that was used. */
            tier: components["schemas"]["Tier"];
        };
        /**
         * SandboxLoad
         * @description Sandboxes of one node.
         */
        SandboxLoad: {
            /** @description True if evaluations can run there. */
            available: boolean;
            /** @description Id of the node. */
            node: string;
            /** @description Reason why none can; null: they can. */
            reason: string | null;
            /** @description Evaluations that run there at a time. */
            slots: number;
            /** @description Slots in use. */
            used: number;
            /** @description Containers that are ready. */
            warm: number;
        };
        /**
         * ScaleReward
         * @description Rewards to train on are multiplied. Returns stay the environment's own.
         */
        ScaleReward: {
            /** @description Factor of the rewards. */
            factor: number;
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "scale_reward";
        };
        /**
         * Scope
         * @description Permission of a key. `read` is for staff: it shows all runs of the tenant, hidden tests included. Everybody sees
         *     their own runs, without hidden tests. `admin` includes `evaluate`, `train` and `read`, and manages the tenant's
         *     keys. `operate` manages all tenants, and is included in nothing.
         * @enum {string}
         */
        Scope: "evaluate" | "train" | "read" | "admin" | "operate";
        /**
         * SessionInfo
         * @description Session of the browser that asks.
         */
        SessionInfo: {
            /** @description Principal that is signed in with the session cookie; null: nobody. */
            principal: components["schemas"]["WhoAmI"] | null;
            /** @description Provider whose accounts can sign in; null: none. */
            provider: components["schemas"]["SignInProvider"] | null;
        };
        /**
         * SignInProvider
         * @description Provider whose accounts can sign in on the page.
         */
        SignInProvider: {
            /** @description Name of the provider, for the button. */
            name: string;
            /** @description Path to open in the browser, relative to the page; `?to=` is the route of the page to return to. */
            path: string;
        };
        /**
         * SimilarPair
         * @description Two submissions whose code is alike.
         */
        SimilarPair: {
            /** @description The earlier submission. */
            a: components["schemas"]["ComparedSubmission"];
            /** @description The later submission. */
            b: components["schemas"]["ComparedSubmission"];
            /** @description The larger one of the two shares: code that was added to a copy does not lower it. */
            similarity: number;
        };
        /**
         * SimilarityReport
         * @description Comparison of the submissions that count: a list of pairs to look at, never a verdict.
         */
        SimilarityReport: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Number of submissions that were compared. */
            compared: number;
            /**
             * Format: date-time
             * @description Time when it was asked for.
             */
            created_at: string;
            /** @description Id of the principal that asked for it. */
            created_by: string;
            /** @description Time when it was ready or had failed; null: it is running. */
            finished_at: string | null;
            /** @description Reason of a failure; null: none. */
            message: string | null;
            /** @description Least similarity of a pair that is listed. */
            min_similarity: number;
            /** @description The pairs, most similar first, at most 200. */
            pairs: components["schemas"]["SimilarPair"][];
            /** @description Submissions that were not compared. */
            skipped: components["schemas"]["SkippedSubmission"][];
            /**
             * @description `running`, `ready` or `failed`.
             * @enum {string}
             */
            state: "running" | "ready" | "failed";
        };
        /**
         * SimilarityRequest
         * @description A comparison of the submissions that count.
         */
        SimilarityRequest: {
            /** @description Least similarity of a pair that is listed, from 0 to 1. Default: `0.5`. */
            min_similarity?: number;
        };
        /**
         * SkippedSubmission
         * @description A submission that was not compared.
         */
        SkippedSubmission: {
            /** @description Id of the member in the course's own lists. */
            external_id: string;
            /** @description Reason why it was not compared. */
            reason: string;
            /** @description Id of the submission. */
            submission_id: string;
        };
        /**
         * SourceFile
         * @description A further file of a submission, or of a suite.
         */
        SourceFile: {
            /** @description Text of the file, or an uploaded file with any bytes. */
            content: string | components["schemas"]["FileRef"];
            /** @description Relative POSIX path, for example `helpers/grid.py`. */
            path: string;
        };
        /**
         * SpaceInfo
         * @description A Gymnasium space.
         */
        SpaceInfo: {
            /** @description NumPy type of one element; `int64` for `discrete`. */
            dtype: string;
            /** @description Upper bounds (`box`), in the same form as `low`. */
            high: number | (number | null)[] | null;
            /**
             * @description Kind of the space.
             * @enum {string}
             */
            kind: "box" | "discrete" | "multi_discrete" | "multi_binary";
            /** @description Lower bounds (`box`): one number if all are equal, else one for each component in C order; null: unbounded. */
            low: number | (number | null)[] | null;
            /** @description Number of values (`discrete`), or of components (`multi_binary`). */
            n: number | null;
            /** @description Number of values of each component in C order (`multi_discrete`). */
            nvec: number[] | null;
            /** @description Parts of a Dict or Tuple observation, flattened into this box as Gymnasium's `FlattenObservation` does; null: it has none. */
            parts: components["schemas"]["SpacePart"][] | null;
            /** @description Shape of one element; `[]` for `discrete`. */
            shape: number[];
            /** @description First value (`discrete`, `multi_discrete`); null: 0. */
            start: number | number[] | null;
        };
        /**
         * SpaceInfoInEvent
         * @description A Gymnasium space.
         */
        SpaceInfoInEvent: {
            /** @description NumPy type of one element; `int64` for `discrete`. */
            dtype: string;
            /** @description Upper bounds (`box`), in the same form as `low`. */
            high?: number | (number | null)[] | null;
            /**
             * @description Kind of the space.
             * @enum {string}
             */
            kind: "box" | "discrete" | "multi_discrete" | "multi_binary";
            /** @description Lower bounds (`box`): one number if all are equal, else one for each component in C order; null: unbounded. */
            low?: number | (number | null)[] | null;
            /** @description Number of values (`discrete`), or of components (`multi_binary`). */
            n?: number | null;
            /** @description Number of values of each component in C order (`multi_discrete`). */
            nvec?: number[] | null;
            /** @description Parts of a Dict or Tuple observation, flattened into this box as Gymnasium's `FlattenObservation` does; null: it has none. */
            parts?: components["schemas"]["SpacePartInEvent"][] | null;
            /** @description Shape of one element; `[]` for `discrete`. */
            shape: number[];
            /** @description First value (`discrete`, `multi_discrete`); null: 0. */
            start?: number | number[] | null;
        };
        /**
         * SpacePart
         * @description A part of a flattened observation.
         */
        SpacePart: {
            /** @description Keys of Dict spaces and places in Tuple spaces that lead to the part. */
            path: (string | number)[];
            /** @description Count of its numbers: one-hot if it is `discrete` or `multi_discrete`, else in C order. */
            size: number;
            /** @description Space of the part by itself. */
            space: components["schemas"]["SpaceInfo"];
            /** @description First of its numbers in the flattened observation. */
            start: number;
        };
        /**
         * SpacePartInEvent
         * @description A part of a flattened observation.
         */
        SpacePartInEvent: {
            /** @description Keys of Dict spaces and places in Tuple spaces that lead to the part. */
            path: (string | number)[];
            /** @description Count of its numbers: one-hot if it is `discrete` or `multi_discrete`, else in C order. */
            size: number;
            /** @description Space of the part by itself. */
            space: components["schemas"]["SpaceInfoInEvent"];
            /** @description First of its numbers in the flattened observation. */
            start: number;
        };
        /**
         * StdioGrader
         * @description The program reads stdin and writes stdout.
         */
        StdioGrader: {
            /**
             * @description Selects this grader. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "stdio";
        };
        /**
         * StopCriteria
         * @description A training ends with `succeeded` when the first of these is met, checked between iterations. After `resume_from` the counters include the parent's, except for `more_env_steps`. At least one is required.
         */
        StopCriteria: {
            /** @description Environment steps. */
            env_steps?: number | null;
            /** @description Mean return of the last 100 episodes; checked once 20 episodes have ended. */
            episode_return_mean?: number | null;
            /** @description Iterations. */
            iterations?: number | null;
            /** @description Environment steps beyond those that `resume_from` has done. The accepted training has the sum in `env_steps`, and null here. */
            more_env_steps?: number | null;
            /** @description Time spent on training, in seconds, without pauses, evaluations and checkpoints. */
            wall_time_s?: number | null;
        };
        /**
         * StopCriteriaOutput
         * @description A training ends with `succeeded` when the first of these is met, checked between iterations. After `resume_from` the counters include the parent's, except for `more_env_steps`. At least one is required.
         */
        StopCriteriaOutput: {
            /** @description Environment steps. */
            env_steps: number | null;
            /** @description Mean return of the last 100 episodes; checked once 20 episodes have ended. */
            episode_return_mean: number | null;
            /** @description Iterations. */
            iterations: number | null;
            /** @description Environment steps beyond those that `resume_from` has done. The accepted training has the sum in `env_steps`, and null here. */
            more_env_steps: number | null;
            /** @description Time spent on training, in seconds, without pauses, evaluations and checkpoints. */
            wall_time_s: number | null;
        };
        /**
         * StoreLoad
         * @description The database of runs and events.
         */
        StoreLoad: {
            /** @description Duration of a small read, in seconds; null: no answer within two seconds. */
            answer_s: number | null;
            /** @description `sqlite`, `redis` or `memory`. */
            kind: string;
            /** @description Most that Redis may use; null: no limit. */
            max_bytes: number | null;
            /** @description Size of the database: of the file, or of Redis' memory; null: unknown. */
            used_bytes: number | null;
        };
        /**
         * StreamGap
         * @description Telemetry from `first_seq` to `last_seq` was left out for this reader, which was too slow. Never stored.
         */
        StreamGap: {
            /** @description Sequence number of the first event that was left out. */
            first_seq: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number of the last event that was left out. */
            last_seq: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "stream.gap";
        };
        /**
         * Study
         * @description State and trials of a study.
         */
        Study: {
            /** @description Searched hyperparameters of that trial. */
            best_hyperparameters: {
                [key: string]: components["schemas"]["JsonValue"];
            } | null;
            /** @description Number of the completed trial with the highest value; null: none has completed. */
            best_trial: number | null;
            /** @description Value of that trial. */
            best_value: number | null;
            /**
             * Format: date-time
             * @description Time of the request.
             */
            created_at: string;
            /** @description Environment steps of the trainings that have ended. */
            env_steps: number;
            /** @description Time of the end. */
            finished_at: string | null;
            /** @description Id of the study: `study_…`. */
            id: string;
            /** @description Share of each searched hyperparameter in what tells good trials from others (PED-ANOVA), once four trials have completed. */
            importances: {
                [key: string]: number;
            };
            /** @description Reason why the study waits or has failed; null: neither. */
            message: string | null;
            /** @description The request that started the study. */
            request: components["schemas"]["StudyRequestOutput"];
            /** @description Sequence number of the newest event that this document reflects. Events after it continue without a gap. */
            seq: number;
            /** @description Time at which its owner began. */
            started_at: string | null;
            /** @description Present state; `succeeded`, `stopped` and `failed` are final. */
            state: components["schemas"]["StudyState"];
            /** @description Reason of a regular end; null before the end. */
            stop_reason: string | null;
            /** @description Trials so far. */
            trial_count: number;
            /** @description All trials, in order; empty in lists. */
            trials: components["schemas"]["Trial"][];
        };
        /**
         * StudyFailed
         * @description The study has ended with an error.
         */
        StudyFailed: {
            /** @description Stable code of the error. */
            code: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason of the failure. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.failed";
        };
        /**
         * StudyMessage
         * @description Message that a study has ended.
         */
        StudyMessage: {
            /** @description The study, without its trials. */
            data: components["schemas"]["Study"];
            /**
             * Format: date-time
             * @description Time of the end.
             */
            timestamp: string;
            /**
             * @description Type of the event.
             * @enum {string}
             */
            type: "study.succeeded" | "study.stopped" | "study.failed";
        };
        /**
         * StudyPauseRequested
         * @description A pause was requested.
         */
        StudyPauseRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.pause_requested";
        };
        /**
         * StudyPaused
         * @description All trainings of the study are paused or have ended.
         */
        StudyPaused: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.paused";
        };
        /**
         * StudyQueued
         * @description The study was accepted.
         */
        StudyQueued: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.queued";
        };
        /**
         * StudyRequest
         * @description A study to start (`POST /v1/studies`): a search over hyperparameters, whose trials are trainings.
         */
        StudyRequest: {
            /** @description Environment steps of all trainings together, met within an iteration; null: no such limit. */
            budget_env_steps?: number | null;
            /** @description Name for people; null: none. */
            name?: string | null;
            /** @description Trainings that run at a time. Default: `2`. */
            parallel?: number;
            /** @description Method that ends bad trials early; null: none. */
            pruner?: (components["schemas"]["MedianPruner"] | components["schemas"]["HyperbandPruner"]) | null;
            /** @description Method that chooses the next trial's hyperparameters. */
            sampler?: components["schemas"]["TpeSampler"] | components["schemas"]["RandomSampler"] | components["schemas"]["GridSampler"] | components["schemas"]["PopulationSampler"];
            /** @description Seed of the sampler. Default: `0`. */
            seed?: number;
            /** @description Seeds that each trial is trained with; a trial's value is the mean of their last policy evaluations. Default: `[0]`. */
            seeds?: number[];
            /** @description Range or choices of each searched hyperparameter, by its name; a dot reaches inside, as in `policy_kwargs.net_arch`. A grid may search nothing, and compare seeds only. */
            space?: {
                [key: string]: components["schemas"]["FloatRange"] | components["schemas"]["IntRange"] | components["schemas"]["Choices"];
            };
            /** @description The study ends when a trial's value reaches this; null: no such rule. */
            target_return?: number | null;
            /** @description Training of each trial, as for `POST /v1/trainings`. The study sets its seed, adds the searched hyperparameters, and, with a pruner, when the policy is evaluated. */
            training: components["schemas"]["TrainingRequest"];
            /** @description Largest number of trials; null: no such limit. */
            trials?: number | null;
        };
        /**
         * StudyRequestOutput
         * @description A study to start (`POST /v1/studies`): a search over hyperparameters, whose trials are trainings.
         */
        StudyRequestOutput: {
            /** @description Environment steps of all trainings together, met within an iteration; null: no such limit. */
            budget_env_steps: number | null;
            /** @description Name for people; null: none. */
            name: string | null;
            /** @description Trainings that run at a time. */
            parallel: number;
            /** @description Method that ends bad trials early; null: none. */
            pruner: (components["schemas"]["MedianPrunerOutput"] | components["schemas"]["HyperbandPrunerOutput"]) | null;
            /** @description Method that chooses the next trial's hyperparameters. */
            sampler: components["schemas"]["TpeSamplerOutput"] | components["schemas"]["RandomSampler"] | components["schemas"]["GridSamplerOutput"] | components["schemas"]["PopulationSamplerOutput"];
            /** @description Seed of the sampler. */
            seed: number;
            /** @description Seeds that each trial is trained with; a trial's value is the mean of their last policy evaluations. */
            seeds: number[];
            /** @description Range or choices of each searched hyperparameter, by its name; a dot reaches inside, as in `policy_kwargs.net_arch`. A grid may search nothing, and compare seeds only. */
            space: {
                [key: string]: components["schemas"]["FloatRangeOutput"] | components["schemas"]["IntRangeOutput"] | components["schemas"]["Choices"];
            };
            /** @description The study ends when a trial's value reaches this; null: no such rule. */
            target_return: number | null;
            /** @description Training of each trial, as for `POST /v1/trainings`. The study sets its seed, adds the searched hyperparameters, and, with a pruner, when the policy is evaluated. */
            training: components["schemas"]["TrainingRequestOutput"];
            /** @description Largest number of trials; null: no such limit. */
            trials: number | null;
        };
        /**
         * StudyResumeRequested
         * @description Continuing was requested.
         */
        StudyResumeRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.resume_requested";
        };
        /**
         * StudyResumed
         * @description The study continues.
         */
        StudyResumed: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.resumed";
        };
        /**
         * StudyStarted
         * @description An owner begins the study, or continues it after the loss of the owner before.
         */
        StudyStarted: {
            /** @description Number of the owner: the fencing token of its writes. */
            epoch: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.started";
        };
        /**
         * StudyState
         * @description ``queued -> running <-> paused -> succeeded | stopped | failed``.
         * @enum {string}
         */
        StudyState: "queued" | "running" | "paused" | "succeeded" | "stopped" | "failed";
        /**
         * StudyStopRequested
         * @description A stop was requested.
         */
        StudyStopRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.stop_requested";
        };
        /**
         * StudyStopped
         * @description The study was stopped, with all its trainings.
         */
        StudyStopped: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Reason of the stop. */
            stop_reason?: string;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.stopped";
        };
        /**
         * StudySucceeded
         * @description The study has ended: its trials, its budget or its target was reached.
         */
        StudySucceeded: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Limit that was reached: `trials`, `budget_env_steps` or `target_return`. */
            stop_reason: string;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.succeeded";
        };
        /**
         * StudyTrialFinished
         * @description All trainings of a trial have ended.
         */
        StudyTrialFinished: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Importance of each searched hyperparameter, over all trials so far; empty: too few. */
            importances?: {
                [key: string]: number;
            };
            /** @description 95 % interval of the value; null: fewer than two seeds. */
            interval?: components["schemas"]["Interval"] | null;
            /** @description Explanation of a failure. */
            message?: string | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Final state of the trial. */
            state: components["schemas"]["TrialState"];
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Its trainings, with their results. */
            trainings: components["schemas"]["TrialTrainingInEvent"][];
            /** @description Number of the trial. */
            trial: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.trial_finished";
            /** @description Mean over the seeds; null: no result. */
            value?: number | null;
        };
        /**
         * StudyTrialPruned
         * @description A trial does badly; its trainings are stopped.
         */
        StudyTrialPruned: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Number of the report that decided. */
            report: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of the trial. */
            trial: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.trial_pruned";
        };
        /**
         * StudyTrialReported
         * @description A trial has an intermediate result.
         */
        StudyTrialReported: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description The result. */
            report: components["schemas"]["TrialReport"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of the trial. */
            trial: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.trial_reported";
        };
        /**
         * StudyTrialStarted
         * @description A training of a trial was queued.
         */
        StudyTrialStarted: {
            /** @description Environment steps of the checkpoint that it continues from. */
            from_env_steps?: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Seed of the training. */
            seed: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Id of the training. */
            training_id: string;
            /** @description Number of the trial. */
            trial: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.trial_started";
        };
        /**
         * StudyTrialSuggested
         * @description The hyperparameters of a new trial were chosen.
         */
        StudyTrialSuggested: {
            /** @description Environment steps after which each of its trainings ends, in the order of the seeds; 0: that seed is left out; null: the trainings' own criteria end them. */
            env_steps?: number[] | null;
            /** @description The searched ones. */
            hyperparameters: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Number of the trial from whose checkpoints it continues; null: it starts afresh. */
            parent?: number | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Number of the trial, from 0. */
            trial: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.trial_suggested";
        };
        /**
         * StudyWaiting
         * @description A trial cannot start for now. It is tried again.
         */
        StudyWaiting: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason, for example a full queue. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "study.waiting";
        };
        /**
         * Submission
         * @description Program and tests of an evaluation, as they were submitted.
         */
        Submission: {
            /** @description Checker of the request; if it is a program, learners see it without its source. */
            checker: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Uploaded files that the program can read. */
            data: components["schemas"]["DataFile"][];
            /** @description Further files of the program. */
            files: components["schemas"]["SubmittedFile"][];
            /** @description Grader of the request. */
            grader: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Id of the evaluation. */
            id: string;
            /** @description Image of the request; null: the platform's default. */
            image: string | null;
            /** @description Limits of each test. */
            limits: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description The program: its text, or the uploaded file that it is. */
            source: string | components["schemas"]["FileRef"];
            /** @description Name of the program's file. */
            source_name: string;
            /** @description In the order of the request. */
            tests: components["schemas"]["SubmittedTest"][];
        };
        /**
         * SubmissionDetail
         * @description A submission with its files and its results.
         */
        SubmissionDetail: {
            /** @description Adjustments of the member's grade, oldest first; the newest one holds. */
            adjustments: components["schemas"]["AdjustmentRecord"][];
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Comments of staff, oldest first. */
            comments: components["schemas"]["Comment"][];
            /** @description Its files with their content. */
            content: components["schemas"]["SourceFile"][];
            /** @description True if it is the one that counts now. */
            counts: boolean;
            /** @description Id of the evaluation that judges it; null for learners. */
            evaluation_id: string | null;
            /** @description Its files, without their content. */
            files: components["schemas"]["SubmittedPath"][];
            /** @description Id of the submission: `sub_…`. */
            id: string;
            /** @description Share of the score that is lost because it is late, from 0 to 1. */
            late_share: number;
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Name of that member; null for learners, who see their own submissions only. */
            member: string | null;
            /** @description Id of the member who submitted it. */
            member_id: string;
            /** @description Reason of a failure; null: none. */
            message: string | null;
            /** @description Number of the submission among the member's own, from 1. */
            number: number;
            /** @description Points, with the penalty; null until it is graded. */
            points: number | null;
            /** @description Evaluations served before this one; null unless it waits, or if unknown. */
            queue_position: number | null;
            /** @description Results of the tests so far; of hidden tests, learners see verdicts and points only. */
            results: components["schemas"]["TestResult"][];
            /**
             * @description `pending` until it is judged; `failed`: the platform could not, and the attempt was given back.
             * @enum {string}
             */
            state: "pending" | "graded" | "failed";
            /**
             * Format: date-time
             * @description Time when it was accepted.
             */
            submitted_at: string;
            /** @description Verdicts and points of the tests; empty until it is graded. */
            tests: components["schemas"]["TestMark"][];
            /** @description First verdict that is not `accepted`; null until it is graded. */
            verdict: components["schemas"]["Verdict"] | null;
            /** @description Version of the assignment that it was accepted under. */
            version: number;
        };
        /**
         * SubmissionInfo
         * @description A submission to an assignment.
         */
        SubmissionInfo: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description True if it is the one that counts now. */
            counts: boolean;
            /** @description Id of the evaluation that judges it; null for learners. */
            evaluation_id: string | null;
            /** @description Its files, without their content. */
            files: components["schemas"]["SubmittedPath"][];
            /** @description Id of the submission: `sub_…`. */
            id: string;
            /** @description Share of the score that is lost because it is late, from 0 to 1. */
            late_share: number;
            /** @description Points of a submission that passes everything. */
            max_points: number;
            /** @description Name of that member; null for learners, who see their own submissions only. */
            member: string | null;
            /** @description Id of the member who submitted it. */
            member_id: string;
            /** @description Reason of a failure; null: none. */
            message: string | null;
            /** @description Number of the submission among the member's own, from 1. */
            number: number;
            /** @description Points, with the penalty; null until it is graded. */
            points: number | null;
            /**
             * @description `pending` until it is judged; `failed`: the platform could not, and the attempt was given back.
             * @enum {string}
             */
            state: "pending" | "graded" | "failed";
            /**
             * Format: date-time
             * @description Time when it was accepted.
             */
            submitted_at: string;
            /** @description Verdicts and points of the tests; empty until it is graded. */
            tests: components["schemas"]["TestMark"][];
            /** @description First verdict that is not `accepted`; null until it is graded. */
            verdict: components["schemas"]["Verdict"] | null;
            /** @description Version of the assignment that it was accepted under. */
            version: number;
        };
        /**
         * SubmissionList
         * @description Submissions to an assignment, newest first.
         */
        SubmissionList: {
            /** @description The submissions. */
            items: components["schemas"]["SubmissionInfo"][];
        };
        /**
         * SubmissionRecord
         * @description A submission, as the member's record keeps it.
         */
        SubmissionRecord: {
            /** @description SHA-256 of what was sent. */
            body_sha256: string;
            /** @description SHA-256 of its files: equal submissions have equal ones. */
            content_sha256: string;
            /** @description Id of the evaluation that judges it. */
            evaluation_id: string;
            /** @description Id of the event that accepted it. */
            event_id: string;
            /** @description Its files, without their content. */
            files: components["schemas"]["SubmittedPath"][];
            /** @description Id of the submission: `sub_…`. */
            id: string;
            /** @description Result; null until it is graded. */
            marks: components["schemas"]["Marks"] | null;
            /** @description Reason of the failure; null: none. */
            message: string | null;
            /** @description Number of the submission among the member's own, from 1. */
            number: number;
            /**
             * @description `pending` until it is judged; `failed`: the platform could not, and the attempt was given back.
             * @enum {string}
             */
            state: "pending" | "graded" | "failed";
            /**
             * Format: date-time
             * @description Time when it was accepted.
             */
            submitted_at: string;
            /** @description Version of the assignment that it was accepted under. */
            version: number;
        };
        /**
         * SubmissionRecordInEvent
         * @description A submission, as the member's record keeps it.
         */
        SubmissionRecordInEvent: {
            /** @description SHA-256 of what was sent. */
            body_sha256: string;
            /** @description SHA-256 of its files: equal submissions have equal ones. */
            content_sha256: string;
            /** @description Id of the evaluation that judges it. */
            evaluation_id: string;
            /** @description Id of the event that accepted it. */
            event_id: string;
            /** @description Its files, without their content. */
            files: components["schemas"]["SubmittedPathInEvent"][];
            /** @description Id of the submission: `sub_…`. */
            id: string;
            /** @description Result; null until it is graded. */
            marks?: components["schemas"]["MarksInEvent"] | null;
            /** @description Reason of the failure; null: none. */
            message?: string | null;
            /** @description Number of the submission among the member's own, from 1. */
            number?: number;
            /**
             * @description `pending` until it is judged; `failed`: the platform could not, and the attempt was given back.
             * @enum {string}
             */
            state?: "pending" | "graded" | "failed";
            /**
             * Format: date-time
             * @description Time when it was accepted.
             */
            submitted_at: string;
            /** @description Version of the assignment that it was accepted under. */
            version: number;
        };
        /**
         * SubmissionRequest
         * @description Files to submit to an assignment.
         */
        SubmissionRequest: {
            /** @description An uploaded ZIP archive that is the whole submission; null if `files` are given. */
            archive?: components["schemas"]["FileRef"] | null;
            /** @description The files; `main.py` is the one that is run. Leave them out if `archive` is given. */
            files?: components["schemas"]["SourceFile"][];
            /** @description Version that you have read: the submission is refused if there is a newer one; null: any. */
            version?: number | null;
        };
        /**
         * SubmittedFile
         * @description A further file of a submission.
         */
        SubmittedFile: {
            /** @description Text of the file, or the uploaded file that it is. */
            content: string | components["schemas"]["FileRef"];
            /** @description Relative POSIX path. */
            path: string;
        };
        /**
         * SubmittedPath
         * @description One file of a submission, without its content.
         */
        SubmittedPath: {
            /** @description Path of the file. */
            path: string;
            /** @description Size of its text, in bytes; null: an uploaded file. */
            size_bytes: number | null;
        };
        /**
         * SubmittedPathInEvent
         * @description One file of a submission, without its content.
         */
        SubmittedPathInEvent: {
            /** @description Path of the file. */
            path: string;
            /** @description Size of its text, in bytes; null: an uploaded file. */
            size_bytes?: number | null;
        };
        /**
         * SubmittedTest
         * @description A test as it was submitted. Of a hidden one, learners see only id, points and group.
         */
        SubmittedTest: {
            /** @description Input and expectation, by the names of the request: `stdin`, `expected_stdout`, `args`, …. */
            given: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Group that it is scored with. */
            group: string | null;
            /** @description True if learners see nothing but its verdict and points. */
            hidden: boolean;
            /** @description Its name among the tests. */
            id: string;
            /** @description Points that it gives. */
            points: number;
        };
        /**
         * TenantLoad
         * @description Work of one tenant.
         */
        TenantLoad: {
            /** @description Evaluations that wait. */
            queued_evaluations: number;
            /** @description Trainings that wait. */
            queued_trainings: number;
            /** @description Evaluations that run. */
            running_evaluations: number;
            /** @description Trainings that have a trainer or get one next. */
            running_trainings: number;
            /** @description Name of the tenant. */
            tenant: string;
        };
        /**
         * TenantQuotas
         * @description Quotas of a tenant.
         */
        TenantQuotas: {
            /** @description Quotas that were set for this tenant alone. */
            overrides: {
                [key: string]: number | null;
            };
            /** @description Quotas that apply. */
            quotas: components["schemas"]["QuotasOutput"];
            /** @description The tenant. */
            tenant: string;
        };
        /**
         * TestCase
         * @description One test. The grader determines its fields: `stdin` and `expected_stdout` (stdio); `args`, `kwargs` and `expected` (function); `seed` and `min_return` (episode); either `turns` or `secret` (dialogue); `input` and `answer` (interactive); `node` (pytest); `cell` and `after` (notebook); `check` (environment). `expect_files` and `collect` go with stdio and function.
         */
        TestCase: {
            /** @description Cell of the submission after which the test stands (notebook): its id, tag, or nbgrader's `grade_id`. A cell of tests of nbgrader with that id is replaced. Null, or if there is no such cell: after the last one. */
            after?: string | null;
            /** @description Further data for the interactor (interactive): its file `expected`. */
            answer?: (string | components["schemas"]["FileRef"]) | null;
            /** @description Positional arguments of the call (function). */
            args?: components["schemas"]["JsonValue"][] | null;
            /** @description Test cell (notebook): Python with assertions, or examples of doctest (`>>> mean([1, 2])`). Null: the notebook's own cells run without an error. */
            cell?: string | null;
            /** @description Part of the contract to check (environment): `spaces`, `seeding`, `determinism`, `copies` that share a process, `endings` of episodes, `rewards` and observations that are finite, or `step_rate`. */
            check?: ("spaces" | "seeding" | "determinism" | "copies" | "endings" | "rewards" | "step_rate") | null;
            /** @description Paths of files that are kept if the program writes them (stdio, function): `files` of the evaluation. */
            collect?: string[] | null;
            /** @description Episodes that are played side by side (episode), with a line of observations and one of actions for each step of all of them; `seed` is that of the first one, and the others follow. Null: one. */
            episodes?: number | null;
            /** @description Files that the program must write (stdio, function), each compared as stdout is. */
            expect_files?: components["schemas"]["ExpectedFile"][] | null;
            /** @description Value that the function must return (function); required there, null for no value. */
            expected?: components["schemas"]["JsonValue"];
            /** @description Standard output to expect (stdio): text, or an uploaded file; null: only the exit status counts, and `expect_files`. */
            expected_stdout?: (string | components["schemas"]["FileRef"]) | null;
            /** @description Uploaded files that the program finds in this test alone, and can only read. */
            files?: components["schemas"]["DataFile"][];
            /** @description Id of the group that this test belongs to; null: none. */
            group?: string | null;
            /** @description True: learners see only the verdict and the points. Staff, whose key has the scope `read`, see everything. Default: `false`. */
            hidden?: boolean;
            /** @description Id of the test, unique in the request. */
            id: string;
            /** @description Data for the interactor (interactive): its file `input`. The submission sees only what the interactor says. */
            input?: (string | components["schemas"]["FileRef"]) | null;
            /** @description Keyword arguments of the call (function). */
            kwargs?: {
                [key: string]: components["schemas"]["JsonValue"];
            } | null;
            /** @description Limits of this test, where they differ from those of the request. */
            limits?: components["schemas"]["TestLimits"] | null;
            /** @description Return that the episode must reach (episode); null: playing it to its end is enough. Of several episodes, their interquartile mean must reach it. */
            min_return?: number | null;
            /** @description Tests of the suite that this one stands for (pytest): a node id such as `test_suite.py::test_add[1-2]`, or the beginning of some: a file, class or function. Null: all that no other test names. Each gives a result of its own, and they share the points; `@pytest.mark.points(3)` gives one a larger share, `@pytest.mark.hidden` hides it. */
            node?: string | null;
            /** @description Points of an accepted test. Default: `1.0`. */
            points?: number;
            /** @description Number to guess (dialogue). Each guess is answered with `higher`, `lower` or `correct`. */
            secret?: number | null;
            /** @description Seed of the episode (episode). Null: the host draws 63 random bits and tells them to nobody. Leave it null in hidden tests: an agent can try the small seeds and foresee the episode. A version of an assignment draws the seeds of its hidden tests once, for all submissions. */
            seed?: number | null;
            /** @description Standard input of the program (stdio): text, or an uploaded file. */
            stdin?: (string | components["schemas"]["FileRef"]) | null;
            /** @description Exchange of lines to follow (dialogue). */
            turns?: components["schemas"]["Turn"][] | null;
        };
        /**
         * TestLimits
         * @description Limits of one test that differ from those of the request.
         */
        TestLimits: {
            /** @description CPU time, in seconds. */
            cpu_time_s?: number | null;
            /** @description Memory, in MiB. */
            memory_mib?: number | null;
            /** @description Standard output, and standard error, in KiB each. */
            output_kib?: number | null;
            /** @description Processes and threads at one time. */
            processes?: number | null;
            /** @description Wall-clock time, in seconds; at least `cpu_time_s`. */
            wall_time_s?: number | null;
        };
        /**
         * TestMark
         * @description Result of one test, as a grade keeps it.
         */
        TestMark: {
            /** @description True if learners see its verdict and points only. */
            hidden: boolean;
            /** @description Id of the test. */
            id: string;
            /** @description Points earned. */
            points: number;
            /** @description Verdict of the test. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * TestMarkInEvent
         * @description Result of one test, as a grade keeps it.
         */
        TestMarkInEvent: {
            /** @description True if learners see its verdict and points only. */
            hidden?: boolean;
            /** @description Id of the test. */
            id: string;
            /** @description Points earned. */
            points: number;
            /** @description Verdict of the test. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * TestRate
         * @description Share of the members with a graded submission that passed a test.
         */
        TestRate: {
            /** @description Number of members with a graded submission. */
            graded: number;
            /** @description True if learners see its verdict and points only. */
            hidden: boolean;
            /** @description Id of the test. */
            id: string;
            /** @description Number of members whose counted submission passed it. */
            passed: number;
            /** @description Points of the test; of a test of a suite, the most that were earned. */
            points: number;
        };
        /**
         * TestResult
         * @description Result of one test. Of a hidden test, learners see `id`, `verdict`, `points` and `hidden`; the other fields are null. Staff, whose key has the scope `read`, see all of it.
         */
        TestResult: {
            /** @description CPU time that a checker of kind `program` used for this test, in seconds; null if none ran. */
            checker_cpu_time_s: number | null;
            /** @description Seconds of `wall_time_s` that the program waited for a core because the machine was busy, not counted against the limit; null if none. */
            core_wait_time_s: number | null;
            /** @description CPU time used, in seconds. */
            cpu_time_s: number | null;
            /** @description Exit status of the program; null if it did not exit by itself. */
            exit_code: number | null;
            /** @description True if the test is hidden from learners. */
            hidden: boolean;
            /** @description Id of the test. */
            id: string;
            /** @description Isolation of the test's code from the submission. `shared`: both ran in one process, and the submission could have changed this result. Null: the test has no code. */
            isolation: ("separate" | "shared") | null;
            /** @description Explanation of the verdict, or message of a checker; null if there is nothing to say. */
            message: string | null;
            /** @description Highest memory use, in bytes. */
            peak_memory_bytes: number | null;
            /** @description Points earned. */
            points: number;
            /** @description Name of the signal that killed the program, for example `SIGSEGV`. */
            signal: string | null;
            /** @description Standard error that was kept. */
            stderr: string | null;
            /** @description True if standard error was longer than what was kept. */
            stderr_truncated: boolean;
            /** @description Standard output that was kept. */
            stdout: string | null;
            /** @description True if standard output was longer than what was kept. */
            stdout_truncated: boolean;
            /** @description Value that the function returned (function), or `episode_return` and `episode_length` (episode). */
            value: components["schemas"]["JsonValue"];
            /** @description Verdict of the test. */
            verdict: components["schemas"]["Verdict"];
            /** @description Wall-clock time used, in seconds. */
            wall_time_s: number | null;
        };
        /**
         * TestResultInEvent
         * @description Result of one test. Of a hidden test, learners see `id`, `verdict`, `points` and `hidden`; the other fields are null. Staff, whose key has the scope `read`, see all of it.
         */
        TestResultInEvent: {
            /** @description CPU time that a checker of kind `program` used for this test, in seconds; null if none ran. */
            checker_cpu_time_s?: number | null;
            /** @description Seconds of `wall_time_s` that the program waited for a core because the machine was busy, not counted against the limit; null if none. */
            core_wait_time_s?: number | null;
            /** @description CPU time used, in seconds. */
            cpu_time_s?: number | null;
            /** @description Exit status of the program; null if it did not exit by itself. */
            exit_code?: number | null;
            /** @description True if the test is hidden from learners. */
            hidden?: boolean;
            /** @description Id of the test. */
            id: string;
            /** @description Isolation of the test's code from the submission. `shared`: both ran in one process, and the submission could have changed this result. Null: the test has no code. */
            isolation?: ("separate" | "shared") | null;
            /** @description Explanation of the verdict, or message of a checker; null if there is nothing to say. */
            message?: string | null;
            /** @description Highest memory use, in bytes. */
            peak_memory_bytes?: number | null;
            /** @description Points earned. */
            points: number;
            /** @description Name of the signal that killed the program, for example `SIGSEGV`. */
            signal?: string | null;
            /** @description Standard error that was kept. */
            stderr?: string | null;
            /** @description True if standard error was longer than what was kept. */
            stderr_truncated?: boolean;
            /** @description Standard output that was kept. */
            stdout?: string | null;
            /** @description True if standard output was longer than what was kept. */
            stdout_truncated?: boolean;
            /** @description Value that the function returned (function), or `episode_return` and `episode_length` (episode). */
            value?: components["schemas"]["JsonValue"];
            /** @description Verdict of the test. */
            verdict: components["schemas"]["Verdict"];
            /** @description Wall-clock time used, in seconds. */
            wall_time_s?: number | null;
        };
        /**
         * Ticket
         * @description A ticket, good once, for `?ticket=` of an event stream or the `auth` message of `/v1/live`.
         */
        Ticket: {
            /**
             * Format: date-time
             * @description Time of expiry.
             */
            expires_at: string;
            /** @description Text of the ticket. */
            ticket: string;
        };
        /**
         * TicketRequest
         * @description A ticket to create.
         */
        TicketRequest: {
            /** @description Stream that the ticket is for, for example `trainings/train_…`; null: any stream of the tenant. */
            stream?: string | null;
        };
        /**
         * Tier
         * @description Strength of the isolation of a submission. Every result names it, and it is never lowered silently.
         * @enum {string}
         */
        Tier: "single-use" | "jail" | "gvisor";
        /**
         * TimeAware
         * @description The part of the time limit that has passed, from 0 to 1, is appended to observations.
         */
        TimeAware: {
            /**
             * @description Selects this wrapper. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            name: "time_aware";
        };
        /**
         * TokenBucket
         * @description Attempts that come back with time: up to `capacity` at once, and another one every `refill_s` seconds.
         */
        TokenBucket: {
            /** @description Largest number of attempts that can be saved up. */
            capacity: number;
            /** @description Time after which one more attempt is there, in seconds. */
            refill_s: number;
        };
        /**
         * TokensChecker
         * @description The same words in the same order; white space does not count.
         */
        TokensChecker: {
            /** @description True: in outputs, small and capital letters of the English alphabet are the same. Default: `false`. */
            ignore_case?: boolean;
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "tokens";
        };
        /**
         * TpeSampler
         * @description Tree-structured Parzen estimator: searches near what did well (Bergstra et al., 2011).
         */
        TpeSampler: {
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "tpe";
            /** @description Trials that are drawn at random before the estimator has a say. Default: `10`. */
            startup_trials?: number;
        };
        /**
         * TpeSamplerOutput
         * @description Tree-structured Parzen estimator: searches near what did well (Bergstra et al., 2011).
         */
        TpeSamplerOutput: {
            /**
             * @description Selects this sampler. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "tpe";
            /** @description Trials that are drawn at random before the estimator has a say. */
            startup_trials: number;
        };
        /**
         * Training
         * @description State and progress of a training.
         */
        Training: {
            /** @description Newest checkpoint; null before the first. */
            checkpoint: components["schemas"]["CheckpointInfo"] | null;
            /**
             * Format: date-time
             * @description Time of the request.
             */
            created_at: string;
            /** @description Faults of users' code so far; more than the request's `max_environment_faults` end the training. */
            environment_faults: number;
            /** @description Newest evaluation of the policy; null before the first. */
            evaluation: components["schemas"]["EvaluationReport"] | null;
            /** @description Time of the end. */
            finished_at: string | null;
            /** @description Id of the training: `train_…`. */
            id: string;
            /** @description Labels to find the run by. */
            labels: {
                [key: string]: string;
            };
            /** @description Record of how the training was run: request, seed, package versions, code hash and hardware; null before the start. */
            manifest: {
                [key: string]: unknown;
            } | null;
            /** @description Explanation of an interruption or a failure. */
            message: string | null;
            /** @description Newest value of each metric, by `group/name`, for example `rollout/episode_return_mean`. */
            metrics: {
                [key: string]: number;
            };
            /** @description Name of the run for people; null: none. */
            name: string | null;
            /** @description Notes about the run; null: none. */
            notes: string | null;
            /** @description Counters of its whole life. */
            progress: components["schemas"]["Progress"];
            /** @description Trainings served before this one; null unless queued, or if unknown. */
            queue_position: number | null;
            /** @description The request that started the training. */
            request: components["schemas"]["TrainingRequestOutput"];
            /** @description Recoveries from a checkpoint so far. */
            restarts: number;
            /** @description Sequence number of the newest event that this document reflects. Events after it continue without a gap. */
            seq: number;
            /** @description True if the simulated engine runs it, which trains nothing. */
            simulated: boolean;
            /** @description Time of the first start. */
            started_at: string | null;
            /** @description Present state; `succeeded`, `stopped` and `failed` are final. */
            state: components["schemas"]["TrainingState"];
            /** @description Reason of a regular end, for example the stop criterion that was met; null before the end. */
            stop_reason: string | null;
            /** @description Principal that submitted the run: id of the first API key of its rotations, or `sub` of the JWT. */
            submitter: string | null;
        };
        /**
         * TrainingCheck
         * @description Settings that a request would train with: its hyperparameters in full, and the numbers that follow from them.
         */
        TrainingCheck: {
            /** @description Environment steps after which `stop.env_steps` is met, as rollouts are whole; an environment whose resets take a row ends with fewer, but not before `stop.env_steps`. Null: not given, or unknown. */
            env_steps: number | null;
            /** @description Environment steps of one iteration, which bundles short rollouts; null: the simulated engine decides. */
            env_steps_per_iteration: number | null;
            /** @description Environment steps of one rollout, `n_steps` of each environment; null: the simulated engine decides. */
            env_steps_per_rollout: number | null;
            /** @description All hyperparameters: those given, over the preset's, over the defaults. */
            hyperparameters: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Copies of the environment that are sampled, over all env runners. */
            num_envs: number;
            /** @description Name of the preset that fills in what is not given; null: none. */
            preset: string | null;
        };
        /**
         * TrainingCheckpointSaved
         * @description A checkpoint was saved.
         */
        TrainingCheckpointSaved: {
            /** @description The checkpoint. */
            checkpoint: components["schemas"]["CheckpointInfoInEvent"];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.checkpoint_saved";
        };
        /**
         * TrainingEnvironmentFault
         * @description Code of a user failed: an environment, whose episode was truncated, or a reward function, whose reward was 0.
         */
        TrainingEnvironmentFault: {
            /** @description Copies that it concerned. */
            count: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Number of the last completed iteration. */
            iteration: number;
            /**
             * @description Kind of the fault: an exception; a result of another form; NaN or a value outside its space; the end of its process; no answer in time; too much memory.
             * @enum {string}
             */
            kind: "exception" | "malformed" | "invalid" | "crash" | "hang" | "memory";
            /** @description Error, with the lines of the user's code. */
            message: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Id of the environment, or `reward`. */
            source: string;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Faults of the training so far; more than `max_environment_faults` end it. */
            total: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.environment_fault";
        };
        /**
         * TrainingEvaluated
         * @description The policy was evaluated.
         */
        TrainingEvaluated: {
            /** @description Environment steps so far. */
            env_steps: number;
            /** @description Episodes of it that were recorded; empty: none. */
            episodes?: components["schemas"]["EpisodeInfoInEvent"][];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Iterations so far. */
            iteration: number;
            /** @description Result of the evaluation. */
            report: components["schemas"]["EvaluationReport"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.evaluated";
        };
        /**
         * TrainingEvaluationCutShort
         * @description An evaluation ended before all its episodes had. Training is not affected.
         */
        TrainingEvaluationCutShort: {
            /** @description Environment steps of the training so far. */
            env_steps: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Number of the last completed iteration. */
            iteration: number;
            /** @description Reason: its bound of steps or seconds, or a command. */
            reason: string;
            /** @description Report over the episodes that had ended; null: none had. Short episodes end first, so it is biased. */
            report?: components["schemas"]["EvaluationReport"] | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.evaluation_cut_short";
        };
        /**
         * TrainingFailed
         * @description The training has ended with an error.
         */
        TrainingFailed: {
            /** @description Stable code of the error. */
            code: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Final counters. */
            progress: components["schemas"]["ProgressInEvent"];
            /** @description Reason of the failure. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.failed";
        };
        /**
         * TrainingInterrupted
         * @description The trainer was lost, or has left as planned. The training is recovered from its newest valid checkpoint.
         */
        TrainingInterrupted: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description True if nothing failed: a shutdown, or a wait for room. */
            planned?: boolean;
            /** @description Reason of the interruption. */
            reason: string;
            /** @description Time until the recovery is tried, in seconds. */
            retry_in_s: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.interrupted";
        };
        /**
         * TrainingIterationCompleted
         * @description An iteration has ended.
         */
        TrainingIterationCompleted: {
            /** @description Environment steps so far. */
            env_steps: number;
            /** @description Episodes that have ended so far. */
            episodes: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Iterations so far. */
            iteration: number;
            /** @description Metrics of the iteration, by `group/name`. */
            metrics: {
                [key: string]: number;
            };
            /** @description SHA-256 over all parameters of policy and value function after the iteration; null: recorded before this was. */
            parameters_sha256?: string | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /** @description Time spent on training so far, in seconds. */
            train_wall_s: number;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.iteration_completed";
        };
        /**
         * TrainingMessage
         * @description Message that a training has ended.
         */
        TrainingMessage: {
            /** @description The training. */
            data: components["schemas"]["Training"];
            /**
             * Format: date-time
             * @description Time of the end.
             */
            timestamp: string;
            /**
             * @description Type of the event.
             * @enum {string}
             */
            type: "training.succeeded" | "training.stopped" | "training.failed";
        };
        /**
         * TrainingPauseRequested
         * @description A pause was requested.
         */
        TrainingPauseRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.pause_requested";
        };
        /**
         * TrainingPaused
         * @description The training is paused, after a checkpoint.
         */
        TrainingPaused: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Counters so far. */
            progress: components["schemas"]["ProgressInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.paused";
        };
        /**
         * TrainingProgressed
         * @description A long rollout or evaluation continues: it has come so far.
         */
        TrainingProgressed: {
            /** @description Environment steps taken in it so far. */
            env_steps: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Number of the iteration that the rollout belongs to, or that the evaluation follows. */
            iteration: number;
            /**
             * @description Kind of work: a rollout or an evaluation.
             * @enum {string}
             */
            phase: "rollout" | "evaluation";
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.progressed";
        };
        /**
         * TrainingQueued
         * @description The training was accepted and waits.
         */
        TrainingQueued: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Trainings served before this one at that moment; null: unknown. */
            queue_position?: number | null;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.queued";
        };
        /**
         * TrainingRecovered
         * @description The training continues from a checkpoint, or from the beginning if there is none. Later iterations are done again.
         */
        TrainingRecovered: {
            /** @description Id of the checkpoint; null: from the beginning. */
            checkpoint_id: string | null;
            /** @description Environment steps at the checkpoint. */
            env_steps: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Iterations at the checkpoint. */
            iteration: number;
            /** @description Environment steps that are done again. */
            redone_env_steps: number;
            /** @description Iterations that are done again. */
            redone_iterations: number;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.recovered";
        };
        /**
         * TrainingRequest
         * @description A training to start (`POST /v1/trainings`).
         */
        TrainingRequest: {
            /**
             * @description Learning algorithm.
             * @constant
             */
            algorithm?: "ppo";
            /** @description When checkpoints are saved, and which are kept. */
            checkpoint?: components["schemas"]["CheckpointPlan"];
            /**
             * @description `rllib` trains; `simulated` trains nothing and is for demos and tests. Default: `"rllib"`.
             * @enum {string}
             */
            engine?: "rllib" | "simulated";
            /** @description Id of the environment, for example `CartPole-v1`, or `env_…` of an uploaded one. */
            env: string;
            /**
             * @description Library that steps the environment; `auto`: the fastest one that has it. Default: `"auto"`.
             * @enum {string}
             */
            env_backend?: "auto" | "envpool" | "gymnasium";
            /** @description Keyword arguments of the environment. */
            env_config?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description When the policy is evaluated. */
            evaluation?: components["schemas"]["EvaluationPlan"];
            /** @description Hyperparameters that differ from the preset, with the names of Stable-Baselines3. */
            hyperparameters?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Labels to find the run by: keys with their values. */
            labels?: {
                [key: string]: string;
            };
            /** @description Faults of an uploaded environment or of a reward function after which the training fails. Each one is an event. One of an environment ends an episode; where a reward function fails, the reward is 0. Default: `100`. */
            max_environment_faults?: number;
            /** @description Time limit of an episode in steps; null: the environment's own, or 10,000 if it has none. */
            max_episode_steps?: number | null;
            /** @description Name of the run for people; null: none. It need not be unique. */
            name?: string | null;
            /** @description Notes of any length up to 10,000 characters; null: none. */
            notes?: string | null;
            /** @description Name of tuned hyperparameters; null: the environment's own, if there are any. */
            preset?: string | null;
            /**
             * @description Order among the tenant's own trainings. `high` needs the scope `admin`. Default: `"normal"`.
             * @enum {string}
             */
            priority?: "high" | "normal" | "low";
            /** @description Resources to train on. */
            resources?: components["schemas"]["Resources"];
            /** @description Id of a checkpoint to continue from, or of a training: from its newest checkpoint. Null: start afresh. */
            resume_from?: string | null;
            /** @description Function that computes the rewards to train on; null: the environment's own. */
            reward?: components["schemas"]["RewardFunction"] | null;
            /** @description Seed of all random numbers of the training. Default: `0`. */
            seed?: number;
            /** @description When the training ends by itself. Left out: after the environment steps of the preset, if there is one; they come on top of what `resume_from` has done. */
            stop?: components["schemas"]["StopCriteria"];
            /** @description Wrappers around the environment, the first one innermost. */
            wrappers?: (components["schemas"]["FrameStack"] | components["schemas"]["TimeAware"] | components["schemas"]["Flatten"] | components["schemas"]["ClipReward"] | components["schemas"]["ScaleReward"] | components["schemas"]["ActionMask"])[];
        };
        /**
         * TrainingRequestOutput
         * @description A training to start (`POST /v1/trainings`).
         */
        TrainingRequestOutput: {
            /**
             * @description Learning algorithm.
             * @constant
             */
            algorithm: "ppo";
            /** @description When checkpoints are saved, and which are kept. */
            checkpoint: components["schemas"]["CheckpointPlanOutput"];
            /**
             * @description `rllib` trains; `simulated` trains nothing and is for demos and tests.
             * @enum {string}
             */
            engine: "rllib" | "simulated";
            /** @description Id of the environment, for example `CartPole-v1`, or `env_…` of an uploaded one. */
            env: string;
            /**
             * @description Library that steps the environment; `auto`: the fastest one that has it.
             * @enum {string}
             */
            env_backend: "auto" | "envpool" | "gymnasium";
            /** @description Keyword arguments of the environment. */
            env_config: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description When the policy is evaluated. */
            evaluation: components["schemas"]["EvaluationPlanOutput"];
            /** @description Hyperparameters that differ from the preset, with the names of Stable-Baselines3. */
            hyperparameters: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description Labels to find the run by: keys with their values. */
            labels: {
                [key: string]: string;
            };
            /** @description Faults of an uploaded environment or of a reward function after which the training fails. Each one is an event. One of an environment ends an episode; where a reward function fails, the reward is 0. */
            max_environment_faults: number;
            /** @description Time limit of an episode in steps; null: the environment's own, or 10,000 if it has none. */
            max_episode_steps: number | null;
            /** @description Name of the run for people; null: none. It need not be unique. */
            name: string | null;
            /** @description Notes of any length up to 10,000 characters; null: none. */
            notes: string | null;
            /** @description Name of tuned hyperparameters; null: the environment's own, if there are any. */
            preset: string | null;
            /**
             * @description Order among the tenant's own trainings. `high` needs the scope `admin`.
             * @enum {string}
             */
            priority: "high" | "normal" | "low";
            /** @description Resources to train on. */
            resources: components["schemas"]["ResourcesOutput"];
            /** @description Id of a checkpoint to continue from, or of a training: from its newest checkpoint. Null: start afresh. */
            resume_from: string | null;
            /** @description Function that computes the rewards to train on; null: the environment's own. */
            reward: components["schemas"]["RewardFunctionOutput"] | null;
            /** @description Seed of all random numbers of the training. */
            seed: number;
            /** @description When the training ends by itself. Left out: after the environment steps of the preset, if there is one; they come on top of what `resume_from` has done. */
            stop: components["schemas"]["StopCriteriaOutput"];
            /** @description Wrappers around the environment, the first one innermost. */
            wrappers: (components["schemas"]["FrameStackOutput"] | components["schemas"]["TimeAware"] | components["schemas"]["Flatten"] | components["schemas"]["ClipRewardOutput"] | components["schemas"]["ScaleReward"] | components["schemas"]["ActionMaskOutput"])[];
        };
        /**
         * TrainingResumeRequested
         * @description Continuing was requested.
         */
        TrainingResumeRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.resume_requested";
        };
        /**
         * TrainingResumed
         * @description The training continues.
         */
        TrainingResumed: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Counters so far. */
            progress: components["schemas"]["ProgressInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.resumed";
        };
        /**
         * TrainingStarted
         * @description The first iteration begins.
         */
        TrainingStarted: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Record of how the training is run: request, seed, package versions, code hash and hardware. */
            manifest: {
                [key: string]: unknown;
            };
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.started";
        };
        /**
         * TrainingStarting
         * @description A trainer has been placed; its engine is being built.
         */
        TrainingStarting: {
            /** @description Number of the trainer, counted up with every placement: the fencing token of its writes. */
            epoch: number;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.starting";
        };
        /**
         * TrainingState
         * @description ``queued -> starting -> running <-> paused -> succeeded | stopped | failed``; ``interrupted`` until recovered.
         * @enum {string}
         */
        TrainingState: "queued" | "starting" | "running" | "paused" | "interrupted" | "succeeded" | "stopped" | "failed";
        /**
         * TrainingStopRequested
         * @description A stop was requested.
         */
        TrainingStopRequested: {
            /** @description Id of the principal that requested it. */
            by: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Stop reason that the training will have. */
            reason?: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.stop_requested";
        };
        /**
         * TrainingStopped
         * @description The training was stopped, after a last checkpoint.
         */
        TrainingStopped: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Final counters. */
            progress: components["schemas"]["ProgressInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Reason of the stop. */
            stop_reason: string;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.stopped";
        };
        /**
         * TrainingSucceeded
         * @description The training has ended: a stop criterion was met.
         */
        TrainingSucceeded: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Final counters. */
            progress: components["schemas"]["ProgressInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stop criterion that was met. */
            stop_reason: string;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.succeeded";
        };
        /**
         * TrainingWaiting
         * @description It is the training's turn, but the cluster has no room for it at the moment. It starts as soon as there is.
         */
        TrainingWaiting: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Resources that the training waits for. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description True if the simulated engine runs the training, which trains nothing. */
            simulated?: boolean;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "training.waiting";
        };
        /**
         * Trial
         * @description One choice of hyperparameters, trained with each seed.
         */
        Trial: {
            /** @description Environment steps after which each of its trainings ends, in the order of the seeds; 0: that seed is left out; null: the trainings' own criteria end them. */
            env_steps: number[] | null;
            /** @description Time of its end. */
            finished_at: string | null;
            /** @description The searched ones. */
            hyperparameters: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** @description 95 % interval of the value; null: fewer than two seeds. */
            interval: components["schemas"]["Interval"] | null;
            /** @description Explanation of a failure. */
            message: string | null;
            /** @description Number of the trial, from 0. */
            number: number;
            /** @description Population-based training: number of the trial from whose checkpoints it continues. */
            parent: number | null;
            /** @description 1 plus the number of trials that are better beyond doubt: whose interval lies wholly above this one's. Null: not completed. */
            rank: number | null;
            /** @description Intermediate results. */
            reports: components["schemas"]["TrialReport"][];
            /**
             * Format: date-time
             * @description Time at which it was chosen.
             */
            started_at: string;
            /** @description `completed` trials are ranked; `cut_short`: the budget did not suffice for a whole one. */
            state: components["schemas"]["TrialState"];
            /** @description Its trainings, one for each seed that has begun. */
            trainings: components["schemas"]["TrialTraining"][];
            /** @description Mean over the seeds of their last policy evaluation; null: not ended, or without a result. */
            value: number | null;
        };
        /**
         * TrialReport
         * @description An intermediate result of a trial.
         */
        TrialReport: {
            /** @description Environment steps of each training at that point. */
            env_steps: number;
            /** @description Number of the report, from 1 to the pruner's `reports`. */
            number: number;
            /** @description Mean return of the policy evaluations, over the seeds that have come so far. */
            value: number;
        };
        /**
         * TrialState
         * @description ``running -> completed | pruned | cut_short | stopped | failed``.
         * @enum {string}
         */
        TrialState: "running" | "completed" | "pruned" | "cut_short" | "stopped" | "failed";
        /**
         * TrialTraining
         * @description A training of a trial.
         */
        TrialTraining: {
            /** @description Environment steps of its own, once it has ended. */
            env_steps: number;
            /** @description Mean return of its last policy evaluation; null: none, or not ended. */
            episode_return_mean: number | null;
            /** @description Environment steps of the checkpoint that it continues from, in population-based training. */
            from_env_steps: number;
            /** @description Its seed. */
            seed: number;
            /** @description Its id: `train_…`. */
            training_id: string;
        };
        /**
         * TrialTrainingInEvent
         * @description A training of a trial.
         */
        TrialTrainingInEvent: {
            /** @description Environment steps of its own, once it has ended. */
            env_steps?: number;
            /** @description Mean return of its last policy evaluation; null: none, or not ended. */
            episode_return_mean?: number | null;
            /** @description Environment steps of the checkpoint that it continues from, in population-based training. */
            from_env_steps?: number;
            /** @description Its seed. */
            seed: number;
            /** @description Its id: `train_…`. */
            training_id: string;
        };
        /**
         * Turn
         * @description One exchange of a dialogue: the host sends a line, then waits for an answer.
         */
        Turn: {
            /** @description Line that the program must answer, compared by the checker; null: the host does not wait for one. The last turn must expect a line. */
            expect?: string | null;
            /** @description Line that the host sends, without its newline; null: nothing is sent. */
            say?: string | null;
        };
        /**
         * UnorderedChecker
         * @description The same lines (or list items) in any order.
         */
        UnorderedChecker: {
            /**
             * @description Selects this checker. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "unordered";
        };
        /**
         * Usage
         * @description Runs of a tenant now, and its use of the platform since midnight, UTC.
         */
        Usage: {
            /** @description Trainings that start, run or recover. */
            active_trainings: number;
            /** @description Size of all stored checkpoints, in bytes; null: unknown. */
            checkpoint_bytes: number | null;
            /** @description Environment steps of trainings today. */
            env_steps_today: number;
            /** @description Evaluations that were submitted today. */
            evaluations_today: number;
            /** @description Events appended to the tenant's runs since midnight. */
            events_today: number;
            /** @description Size of all uploaded files, in bytes. */
            file_bytes: number;
            /** @description Published policies. */
            policies: number;
            /** @description Evaluations that wait. */
            queued_evaluations: number;
            /** @description Trainings that wait. */
            queued_trainings: number;
            /** @description Use of each quota. */
            quotas: components["schemas"]["QuotaState"][];
            /** @description Evaluations that run. */
            running_evaluations: number;
            /** @description CPU time of tests today, in seconds. */
            sandbox_cpu_time_s_today: number;
            /**
             * Format: date-time
             * @description Midnight, UTC: the start of the numbers that end in `_today`.
             */
            since: string;
            /** @description Size of the requests and events of the tenant's runs, in bytes. */
            stored_bytes: number;
            /** @description The tenant. */
            tenant: string;
            /** @description Trainings that were started today. */
            trainings_today: number;
        };
        /**
         * UserEnvironment
         * @description An environment that a user uploaded.
         */
        UserEnvironment: {
            /** @description Action space, as Gymnasium prints it; null unless ready. */
            action_space: string | null;
            /** @description Keyword arguments of the class. */
            config: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description Time of the upload.
             */
            created_at: string;
            /** @description Id of the principal that uploaded it. */
            created_by: string;
            /** @description Module and class, or function, that makes it. */
            entry: string;
            /** @description Id of the evaluation that checks the contract. */
            evaluation_id: string;
            /** @description Its files. */
            files: components["schemas"]["EnvironmentFile"][];
            /** @description Id of the environment, `env_…`: the `env` of a training. */
            id: string;
            /** @description Image that it runs in; null: the platform's default. */
            image: string | null;
            /** @description Digest of the image that it was checked in; null unless checked. */
            image_digest: string | null;
            /** @description Time limit of its own; null: trainings truncate after 10,000 steps, unless a request says otherwise. */
            max_episode_steps: number | null;
            /** @description Memory of each process, in MiB. */
            memory_mib: number;
            /** @description Reason why it is refused or unchecked; null otherwise. */
            message: string | null;
            /** @description Name to show. */
            name: string;
            /** @description Observation space, as Gymnasium prints it; null unless ready. */
            observation_space: string | null;
            /** @description Results of the checks so far. */
            report: components["schemas"]["ContractCheck"][];
            /** @description SHA-256 over files and entry. Equal ones of a tenant are one environment. */
            sha256: string;
            /**
             * @description `checking` until its contract is checked; `ready` to train on; `refused`: the contract does not hold; `unchecked`: the platform could not check it, upload it again.
             * @enum {string}
             */
            state: "checking" | "ready" | "refused" | "unchecked";
            /** @description Steps a second of one copy when it was checked; null unless ready. */
            steps_per_s: number | null;
        };
        /**
         * Verdict
         * @description Meaning of a test's outcome, or of a whole submission's, for the learner.
         * @enum {string}
         */
        Verdict: "accepted" | "wrong_answer" | "time_limit_exceeded" | "memory_limit_exceeded" | "output_limit_exceeded" | "runtime_error" | "compile_error" | "skipped" | "cancelled" | "internal_error";
        /**
         * VersionInfo
         * @description One version of an assignment.
         */
        VersionInfo: {
            /**
             * Format: date-time
             * @description Time when it was made.
             */
            created_at: string;
            /** @description Id of the principal that made it. */
            created_by: string;
            /** @description Number of the version, from 1. */
            number: number;
            /** @description Secret that seeds of its hidden episodes follow from; null: each submission draws its own. */
            seed_secret: string | null;
            /** @description SHA-256 of its definition. */
            sha256: string;
        };
        /**
         * VersionInfoInEvent
         * @description One version of an assignment.
         */
        VersionInfoInEvent: {
            /**
             * Format: date-time
             * @description Time when it was made.
             */
            created_at: string;
            /** @description Id of the principal that made it. */
            created_by: string;
            /** @description Number of the version, from 1. */
            number: number;
            /** @description Secret that seeds of its hidden episodes follow from; null: each submission draws its own. */
            seed_secret?: string | null;
            /** @description SHA-256 of its definition. */
            sha256: string;
        };
        /**
         * VideoInfo
         * @description A drawn episode, and how its replay compares with the recording.
         */
        VideoInfo: {
            /** @description Difference between the replay and the recording; null: there is none. */
            difference: string | null;
            /** @description True if the replay gave the recorded reward at every step. */
            exact: boolean;
            /** @description Pictures of the video. */
            frames: number;
            /** @description Pictures shown in a second. */
            frames_per_s: number;
            /** @description Height in pixels. */
            height: number;
            /** @description Return of the replay that was drawn. */
            replay_return: number;
            /** @description Size of the file, in bytes. */
            size_bytes: number;
            /** @description Steps between two pictures: more than 1 in long episodes. */
            steps_per_frame: number;
            /** @description Width in pixels. */
            width: number;
        };
        /**
         * Webhook
         * @description An address that is notified of finished runs.
         */
        Webhook: {
            /**
             * Format: date-time
             * @description Time of creation.
             */
            created_at: string;
            /** @description Id of the principal that created it. */
            created_by: string;
            /** @description Text for people. */
            description: string;
            /** @description Reason why it is disabled; null if it is enabled. */
            disabled_reason: string | null;
            /** @description False: nothing is sent. */
            enabled: boolean;
            /** @description Types of event that are sent. */
            events: ("evaluation.finished" | "evaluation.cancelled" | "evaluation.failed" | "training.succeeded" | "training.stopped" | "training.failed" | "study.succeeded" | "study.stopped" | "study.failed")[];
            /** @description Time since which no message could be delivered; null: the last one was. */
            failing_since: string | null;
            /** @description Id of the webhook: `hook_…`. */
            id: string;
            /** @description True: messages have the results of hidden tests in full. */
            include_hidden: boolean;
            /** @description Time until which messages are signed with the previous secret, too; null: never rotated. */
            old_secret_until: string | null;
            /** @description Number of its secret, counted from 1. */
            secret_generation: number;
            /** @description Tenant that it belongs to. */
            tenant: string;
            /** @description Address that messages are sent to. */
            url: string;
        };
        /**
         * WebhookChange
         * @description Changes of a webhook; what is null stays unchanged.
         */
        WebhookChange: {
            /** @description New text for people. */
            description?: string | null;
            /** @description True: start sending again; false: stop. */
            enabled?: boolean | null;
            /** @description New types of event. */
            events?: ("evaluation.finished" | "evaluation.cancelled" | "evaluation.failed" | "training.succeeded" | "training.stopped" | "training.failed" | "study.succeeded" | "study.stopped" | "study.failed")[] | null;
            /** @description New address. */
            url?: string | null;
        };
        /**
         * WebhookCreated
         * @description A webhook and its secret.
         */
        WebhookCreated: {
            /** @description Secret that signs messages (`whsec_…`), shown this once. */
            secret: string;
            /** @description The webhook. */
            webhook: components["schemas"]["Webhook"];
        };
        /**
         * WebhookList
         * @description Webhooks of the tenant, newest first.
         */
        WebhookList: {
            /** @description The webhooks. */
            items: components["schemas"]["Webhook"][];
        };
        /**
         * WebhookRequest
         * @description A webhook to create (`POST /v1/webhooks`).
         */
        WebhookRequest: {
            /** @description Text for people. */
            description?: string;
            /** @description Types of event to send; all if left out. */
            events?: ("evaluation.finished" | "evaluation.cancelled" | "evaluation.failed" | "training.succeeded" | "training.stopped" | "training.failed" | "study.succeeded" | "study.stopped" | "study.failed")[];
            /** @description True: messages have the results of hidden tests in full. For receivers that learners cannot read. Default: `false`. */
            include_hidden?: boolean;
            /** @description Address to send messages to, https. */
            url: string;
        };
        /**
         * WebhookRotation
         * @description Overlap of the old and the new secret.
         */
        WebhookRotation: {
            /** @description Time during which messages are signed with both secrets, in seconds. Default: `86400.0`. */
            overlap_s?: number;
        };
        /**
         * WebhookTestData
         * @description Content of a test message.
         */
        WebhookTestData: {
            /** @description Id of the webhook that is tested. */
            webhook_id: string;
        };
        /**
         * WebhookTestMessage
         * @description Message that was requested with `POST /v1/webhooks/{webhook_id}/test`.
         */
        WebhookTestMessage: {
            /** @description The webhook that is tested. */
            data: components["schemas"]["WebhookTestData"];
            /**
             * Format: date-time
             * @description Time of the request.
             */
            timestamp: string;
            /**
             * @description Type of the message.
             * @constant
             */
            type: "webhook.test";
        };
        /**
         * WhoAmI
         * @description Principal that the credentials of the request stand for.
         */
        WhoAmI: {
            /** @description Id of the principal. */
            id: string;
            /** @description Permissions that it has. */
            scopes: components["schemas"]["Scope"][];
            /** @description Tenant that it belongs to. */
            tenant: string;
        };
        /**
         * Work
         * @description All that one member has submitted to an assignment.
         */
        Work: {
            /** @description Adjustments of staff, oldest first. */
            adjustments: components["schemas"]["AdjustmentRecord"][];
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Id of the assignment. */
            assignment_id: string;
            /** @description Comments of staff, oldest first. */
            comments: components["schemas"]["Comment"][];
            /**
             * Format: date-time
             * @description Time of the first submission.
             */
            created_at: string;
            /** @description Id of the work: `work_…`. */
            id: string;
            /** @description Id of the member. */
            member_id: string;
            /**
             * @description `pending` while a submission is not judged.
             * @enum {string}
             */
            state: "pending" | "idle";
            /** @description The submissions, oldest first. */
            submissions: components["schemas"]["SubmissionRecord"][];
        };
        /**
         * WorkAdjusted
         * @description Staff adjusted the member's grade.
         */
        WorkAdjusted: {
            /** @description The adjustment. */
            adjustment: components["schemas"]["AdjustmentRecord"];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.adjusted";
        };
        /**
         * WorkCommented
         * @description Staff commented on a submission.
         */
        WorkCommented: {
            /** @description The comment. */
            comment: components["schemas"]["CommentInEvent"];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.commented";
        };
        /**
         * WorkFailed
         * @description The platform could not judge a submission. The attempt is given back.
         */
        WorkFailed: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Reason of the failure. */
            reason: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description Id of the submission. */
            submission_id: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.failed";
        };
        /**
         * WorkGraded
         * @description A submission was judged.
         */
        WorkGraded: {
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Result. */
            marks: components["schemas"]["MarksInEvent"];
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description Id of the submission. */
            submission_id: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.graded";
        };
        /**
         * WorkOpened
         * @description The member began to work on the assignment.
         */
        WorkOpened: {
            /** @description Name of the assignment. */
            assignment: string;
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Id of the member. */
            member_id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.opened";
        };
        /**
         * WorkSubmitted
         * @description A submission was accepted, and an attempt spent.
         */
        WorkSubmitted: {
            /** @description Limits on attempts that it was accepted under. */
            attempts: components["schemas"]["AttemptsPolicyInEvent"];
            /** @description Id of the event: `evt_…`. Appending the same id again changes nothing. */
            id: string;
            /** @description Sequence number: starts at 1 and has no gaps within a stream. */
            seq: number;
            /** @description Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…` or `assignments/…`. */
            stream: string;
            /** @description The submission. */
            submission: components["schemas"]["SubmissionRecordInEvent"];
            /**
             * Format: date-time
             * @description Time of the event.
             */
            time: string;
            /**
             * @description Type of the event. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "work.submitted";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type ActRequest = components['schemas']['ActRequest'];
export type ActionMask = components['schemas']['ActionMask'];
export type ActionMaskInEvent = components['schemas']['ActionMaskInEvent'];
export type ActionMaskOutput = components['schemas']['ActionMaskOutput'];
export type Actions = components['schemas']['Actions'];
export type Adjustment = components['schemas']['Adjustment'];
export type AdjustmentRecord = components['schemas']['AdjustmentRecord'];
export type AssignmentCard = components['schemas']['AssignmentCard'];
export type AssignmentExtended = components['schemas']['AssignmentExtended'];
export type AssignmentList = components['schemas']['AssignmentList'];
export type AssignmentPublished = components['schemas']['AssignmentPublished'];
export type AssignmentRegraded = components['schemas']['AssignmentRegraded'];
export type AssignmentRequest = components['schemas']['AssignmentRequest'];
export type AssignmentStaffView = components['schemas']['AssignmentStaffView'];
export type AssignmentView = components['schemas']['AssignmentView'];
export type Attempt = components['schemas']['Attempt'];
export type AttemptsPolicy = components['schemas']['AttemptsPolicy'];
export type AttemptsPolicyInEvent = components['schemas']['AttemptsPolicyInEvent'];
export type AttemptsPolicyOutput = components['schemas']['AttemptsPolicyOutput'];
export type AttemptsState = components['schemas']['AttemptsState'];
export type Band = components['schemas']['Band'];
export type BatchResult = components['schemas']['BatchResult'];
export type BatchRow = components['schemas']['BatchRow'];
export type CheckpointInfo = components['schemas']['CheckpointInfo'];
export type CheckpointInfoInEvent = components['schemas']['CheckpointInfoInEvent'];
export type CheckpointList = components['schemas']['CheckpointList'];
export type CheckpointPlan = components['schemas']['CheckpointPlan'];
export type CheckpointPlanOutput = components['schemas']['CheckpointPlanOutput'];
export type Choices = components['schemas']['Choices'];
export type ClipReward = components['schemas']['ClipReward'];
export type ClipRewardInEvent = components['schemas']['ClipRewardInEvent'];
export type ClipRewardOutput = components['schemas']['ClipRewardOutput'];
export type Comment = components['schemas']['Comment'];
export type CommentInEvent = components['schemas']['CommentInEvent'];
export type CommentRequest = components['schemas']['CommentRequest'];
export type ComparedGroup = components['schemas']['ComparedGroup'];
export type ComparedRun = components['schemas']['ComparedRun'];
export type ComparedSetting = components['schemas']['ComparedSetting'];
export type ComparedSubmission = components['schemas']['ComparedSubmission'];
export type Comparison = components['schemas']['Comparison'];
export type ContractCheck = components['schemas']['ContractCheck'];
export type CourseSettings = components['schemas']['CourseSettings'];
export type CourseSettingsOutput = components['schemas']['CourseSettingsOutput'];
export type DataFile = components['schemas']['DataFile'];
export type Delivery = components['schemas']['Delivery'];
export type DeliveryList = components['schemas']['DeliveryList'];
export type DependencyState = components['schemas']['DependencyState'];
export type DialogueGrader = components['schemas']['DialogueGrader'];
export type EnvironmentFile = components['schemas']['EnvironmentFile'];
export type EnvironmentGrader = components['schemas']['EnvironmentGrader'];
export type EnvironmentInfo = components['schemas']['EnvironmentInfo'];
export type EnvironmentList = components['schemas']['EnvironmentList'];
export type EnvironmentUpload = components['schemas']['EnvironmentUpload'];
export type Episode = components['schemas']['Episode'];
export type EpisodeGrader = components['schemas']['EpisodeGrader'];
export type EpisodeInfo = components['schemas']['EpisodeInfo'];
export type EpisodeInfoInEvent = components['schemas']['EpisodeInfoInEvent'];
export type EpisodeList = components['schemas']['EpisodeList'];
export type Estimate = components['schemas']['Estimate'];
export type EvaluatePolicyRequest = components['schemas']['EvaluatePolicyRequest'];
export type EvaluatedPoint = components['schemas']['EvaluatedPoint'];
export type Evaluation = components['schemas']['Evaluation'];
export type EvaluationBatch = components['schemas']['EvaluationBatch'];
export type EvaluationCancelled = components['schemas']['EvaluationCancelled'];
export type EvaluationFailed = components['schemas']['EvaluationFailed'];
export type EvaluationFinished = components['schemas']['EvaluationFinished'];
export type EvaluationMessage = components['schemas']['EvaluationMessage'];
export type EvaluationOutput = components['schemas']['EvaluationOutput'];
export type EvaluationPlan = components['schemas']['EvaluationPlan'];
export type EvaluationPlanOutput = components['schemas']['EvaluationPlanOutput'];
export type EvaluationQueued = components['schemas']['EvaluationQueued'];
export type EvaluationReport = components['schemas']['EvaluationReport'];
export type EvaluationRequest = components['schemas']['EvaluationRequest'];
export type EvaluationRetried = components['schemas']['EvaluationRetried'];
export type EvaluationStarted = components['schemas']['EvaluationStarted'];
export type EvaluationTestFinished = components['schemas']['EvaluationTestFinished'];
export type Event = components['schemas']['Event'];
export type ExactChecker = components['schemas']['ExactChecker'];
export type ExpectedFile = components['schemas']['ExpectedFile'];
export type Extension = components['schemas']['Extension'];
export type ExtensionInEvent = components['schemas']['ExtensionInEvent'];
export type ExtensionOutput = components['schemas']['ExtensionOutput'];
export type FileInfo = components['schemas']['FileInfo'];
export type FileRef = components['schemas']['FileRef'];
export type Flatten = components['schemas']['Flatten'];
export type FloatRange = components['schemas']['FloatRange'];
export type FloatRangeOutput = components['schemas']['FloatRangeOutput'];
export type FloatsChecker = components['schemas']['FloatsChecker'];
export type FrameStack = components['schemas']['FrameStack'];
export type FrameStackInEvent = components['schemas']['FrameStackInEvent'];
export type FrameStackOutput = components['schemas']['FrameStackOutput'];
export type FunctionGrader = components['schemas']['FunctionGrader'];
export type Grade = components['schemas']['Grade'];
export type Grades = components['schemas']['Grades'];
export type GridSampler = components['schemas']['GridSampler'];
export type GridSamplerOutput = components['schemas']['GridSamplerOutput'];
export type Group = components['schemas']['Group'];
export type Health = components['schemas']['Health'];
export type HyperbandPruner = components['schemas']['HyperbandPruner'];
export type HyperbandPrunerOutput = components['schemas']['HyperbandPrunerOutput'];
export type ImageInfo = components['schemas']['ImageInfo'];
export type ImageList = components['schemas']['ImageList'];
export type IntRange = components['schemas']['IntRange'];
export type IntRangeOutput = components['schemas']['IntRangeOutput'];
export type InteractiveGrader = components['schemas']['InteractiveGrader'];
export type Interval = components['schemas']['Interval'];
export type Invitation = components['schemas']['Invitation'];
export type InvitationAcceptance = components['schemas']['InvitationAcceptance'];
export type InvitationAccepted = components['schemas']['InvitationAccepted'];
export type InvitationInfo = components['schemas']['InvitationInfo'];
export type InvitationList = components['schemas']['InvitationList'];
export type InvitationRequest = components['schemas']['InvitationRequest'];
export type InvitationsMade = components['schemas']['InvitationsMade'];
export type InvitationsRequest = components['schemas']['InvitationsRequest'];
export type JsonValue = components['schemas']['JsonValue'];
export type KeptFile = components['schemas']['KeptFile'];
export type KeptFileInEvent = components['schemas']['KeptFileInEvent'];
export type KeyCreated = components['schemas']['KeyCreated'];
export type KeyInfo = components['schemas']['KeyInfo'];
export type KeyList = components['schemas']['KeyList'];
export type KeyRequest = components['schemas']['KeyRequest'];
export type KeyRotation = components['schemas']['KeyRotation'];
export type LatePolicy = components['schemas']['LatePolicy'];
export type LatePolicyOutput = components['schemas']['LatePolicyOutput'];
export type Leaderboard = components['schemas']['Leaderboard'];
export type LeaderboardPolicy = components['schemas']['LeaderboardPolicy'];
export type LeaderboardRow = components['schemas']['LeaderboardRow'];
export type Limits = components['schemas']['Limits'];
export type LinesChecker = components['schemas']['LinesChecker'];
export type LiveAuth = components['schemas']['LiveAuth'];
export type LiveAuthenticated = components['schemas']['LiveAuthenticated'];
export type LiveClientMessage = components['schemas']['LiveClientMessage'];
export type LiveError = components['schemas']['LiveError'];
export type LiveFrame = components['schemas']['LiveFrame'];
export type LiveHeartbeat = components['schemas']['LiveHeartbeat'];
export type LiveReconnect = components['schemas']['LiveReconnect'];
export type LiveServerMessage = components['schemas']['LiveServerMessage'];
export type LiveStreamEnd = components['schemas']['LiveStreamEnd'];
export type LiveSubscribe = components['schemas']['LiveSubscribe'];
export type LiveSubscribed = components['schemas']['LiveSubscribed'];
export type LiveUnsubscribe = components['schemas']['LiveUnsubscribe'];
export type LiveUnsubscribed = components['schemas']['LiveUnsubscribed'];
export type LiveWatch = components['schemas']['LiveWatch'];
export type LtiRegistration = components['schemas']['LtiRegistration'];
export type LtiRegistrationList = components['schemas']['LtiRegistrationList'];
export type LtiRegistrationRequest = components['schemas']['LtiRegistrationRequest'];
export type LtiTool = components['schemas']['LtiTool'];
export type Marks = components['schemas']['Marks'];
export type MarksInEvent = components['schemas']['MarksInEvent'];
export type Measure = components['schemas']['Measure'];
export type MeasureInEvent = components['schemas']['MeasureInEvent'];
export type MedianPruner = components['schemas']['MedianPruner'];
export type MedianPrunerOutput = components['schemas']['MedianPrunerOutput'];
export type Member = components['schemas']['Member'];
export type MemberList = components['schemas']['MemberList'];
export type MemberRequest = components['schemas']['MemberRequest'];
export type MemberRequestOutput = components['schemas']['MemberRequestOutput'];
export type MetricSeries = components['schemas']['MetricSeries'];
export type MyStatus = components['schemas']['MyStatus'];
export type NodeLoad = components['schemas']['NodeLoad'];
export type NormalizerInfo = components['schemas']['NormalizerInfo'];
export type NotebookGrader = components['schemas']['NotebookGrader'];
export type PageEvaluation = components['schemas']['Page_Evaluation_'];
export type PageFileInfo = components['schemas']['Page_FileInfo_'];
export type PagePolicyInfo = components['schemas']['Page_PolicyInfo_'];
export type PageStudy = components['schemas']['Page_Study_'];
export type PageTraining = components['schemas']['Page_Training_'];
export type PageUserEnvironment = components['schemas']['Page_UserEnvironment_'];
export type Passage = components['schemas']['Passage'];
export type PlatformLoad = components['schemas']['PlatformLoad'];
export type PolicyDeleted = components['schemas']['PolicyDeleted'];
export type PolicyEvaluation = components['schemas']['PolicyEvaluation'];
export type PolicyInfo = components['schemas']['PolicyInfo'];
export type PolicyInfoInEvent = components['schemas']['PolicyInfoInEvent'];
export type PolicyPublished = components['schemas']['PolicyPublished'];
export type PolicyRequest = components['schemas']['PolicyRequest'];
export type PopulationSampler = components['schemas']['PopulationSampler'];
export type PopulationSamplerOutput = components['schemas']['PopulationSamplerOutput'];
export type Problem = components['schemas']['Problem'];
export type ProblemField = components['schemas']['ProblemField'];
export type ProgramChecker = components['schemas']['ProgramChecker'];
export type Progress = components['schemas']['Progress'];
export type ProgressInEvent = components['schemas']['ProgressInEvent'];
export type PytestGrader = components['schemas']['PytestGrader'];
export type QuotaState = components['schemas']['QuotaState'];
export type Quotas = components['schemas']['Quotas'];
export type QuotasOutput = components['schemas']['QuotasOutput'];
export type RandomSampler = components['schemas']['RandomSampler'];
export type Readiness = components['schemas']['Readiness'];
export type Regrade = components['schemas']['Regrade'];
export type RegradeChange = components['schemas']['RegradeChange'];
export type RegradeCommitted = components['schemas']['RegradeCommitted'];
export type RegradeDiscarded = components['schemas']['RegradeDiscarded'];
export type RegradeFinished = components['schemas']['RegradeFinished'];
export type RegradeList = components['schemas']['RegradeList'];
export type RegradeProgressed = components['schemas']['RegradeProgressed'];
export type RegradeReport = components['schemas']['RegradeReport'];
export type RegradeRequest = components['schemas']['RegradeRequest'];
export type RegradeStarted = components['schemas']['RegradeStarted'];
export type Resources = components['schemas']['Resources'];
export type ResourcesOutput = components['schemas']['ResourcesOutput'];
export type RewardFunction = components['schemas']['RewardFunction'];
export type RewardFunctionOutput = components['schemas']['RewardFunctionOutput'];
export type Role = components['schemas']['Role'];
export type Roster = components['schemas']['Roster'];
export type RosterFile = components['schemas']['RosterFile'];
export type RosterResult = components['schemas']['RosterResult'];
export type RosterRow = components['schemas']['RosterRow'];
export type RunPatch = components['schemas']['RunPatch'];
export type SandboxInfo = components['schemas']['SandboxInfo'];
export type SandboxLoad = components['schemas']['SandboxLoad'];
export type ScaleReward = components['schemas']['ScaleReward'];
export type Scope = components['schemas']['Scope'];
export type SessionInfo = components['schemas']['SessionInfo'];
export type SignInProvider = components['schemas']['SignInProvider'];
export type SimilarPair = components['schemas']['SimilarPair'];
export type SimilarityReport = components['schemas']['SimilarityReport'];
export type SimilarityRequest = components['schemas']['SimilarityRequest'];
export type SkippedSubmission = components['schemas']['SkippedSubmission'];
export type SourceFile = components['schemas']['SourceFile'];
export type SpaceInfo = components['schemas']['SpaceInfo'];
export type SpaceInfoInEvent = components['schemas']['SpaceInfoInEvent'];
export type SpacePart = components['schemas']['SpacePart'];
export type SpacePartInEvent = components['schemas']['SpacePartInEvent'];
export type StdioGrader = components['schemas']['StdioGrader'];
export type StopCriteria = components['schemas']['StopCriteria'];
export type StopCriteriaOutput = components['schemas']['StopCriteriaOutput'];
export type StoreLoad = components['schemas']['StoreLoad'];
export type StreamGap = components['schemas']['StreamGap'];
export type Study = components['schemas']['Study'];
export type StudyFailed = components['schemas']['StudyFailed'];
export type StudyMessage = components['schemas']['StudyMessage'];
export type StudyPauseRequested = components['schemas']['StudyPauseRequested'];
export type StudyPaused = components['schemas']['StudyPaused'];
export type StudyQueued = components['schemas']['StudyQueued'];
export type StudyRequest = components['schemas']['StudyRequest'];
export type StudyRequestOutput = components['schemas']['StudyRequestOutput'];
export type StudyResumeRequested = components['schemas']['StudyResumeRequested'];
export type StudyResumed = components['schemas']['StudyResumed'];
export type StudyStarted = components['schemas']['StudyStarted'];
export type StudyState = components['schemas']['StudyState'];
export type StudyStopRequested = components['schemas']['StudyStopRequested'];
export type StudyStopped = components['schemas']['StudyStopped'];
export type StudySucceeded = components['schemas']['StudySucceeded'];
export type StudyTrialFinished = components['schemas']['StudyTrialFinished'];
export type StudyTrialPruned = components['schemas']['StudyTrialPruned'];
export type StudyTrialReported = components['schemas']['StudyTrialReported'];
export type StudyTrialStarted = components['schemas']['StudyTrialStarted'];
export type StudyTrialSuggested = components['schemas']['StudyTrialSuggested'];
export type StudyWaiting = components['schemas']['StudyWaiting'];
export type Submission = components['schemas']['Submission'];
export type SubmissionDetail = components['schemas']['SubmissionDetail'];
export type SubmissionInfo = components['schemas']['SubmissionInfo'];
export type SubmissionList = components['schemas']['SubmissionList'];
export type SubmissionRecord = components['schemas']['SubmissionRecord'];
export type SubmissionRecordInEvent = components['schemas']['SubmissionRecordInEvent'];
export type SubmissionRequest = components['schemas']['SubmissionRequest'];
export type SubmittedFile = components['schemas']['SubmittedFile'];
export type SubmittedPath = components['schemas']['SubmittedPath'];
export type SubmittedPathInEvent = components['schemas']['SubmittedPathInEvent'];
export type SubmittedTest = components['schemas']['SubmittedTest'];
export type TenantLoad = components['schemas']['TenantLoad'];
export type TenantQuotas = components['schemas']['TenantQuotas'];
export type TestCase = components['schemas']['TestCase'];
export type TestLimits = components['schemas']['TestLimits'];
export type TestMark = components['schemas']['TestMark'];
export type TestMarkInEvent = components['schemas']['TestMarkInEvent'];
export type TestRate = components['schemas']['TestRate'];
export type TestResult = components['schemas']['TestResult'];
export type TestResultInEvent = components['schemas']['TestResultInEvent'];
export type Ticket = components['schemas']['Ticket'];
export type TicketRequest = components['schemas']['TicketRequest'];
export type Tier = components['schemas']['Tier'];
export type TimeAware = components['schemas']['TimeAware'];
export type TokenBucket = components['schemas']['TokenBucket'];
export type TokensChecker = components['schemas']['TokensChecker'];
export type TpeSampler = components['schemas']['TpeSampler'];
export type TpeSamplerOutput = components['schemas']['TpeSamplerOutput'];
export type Training = components['schemas']['Training'];
export type TrainingCheck = components['schemas']['TrainingCheck'];
export type TrainingCheckpointSaved = components['schemas']['TrainingCheckpointSaved'];
export type TrainingEnvironmentFault = components['schemas']['TrainingEnvironmentFault'];
export type TrainingEvaluated = components['schemas']['TrainingEvaluated'];
export type TrainingEvaluationCutShort = components['schemas']['TrainingEvaluationCutShort'];
export type TrainingFailed = components['schemas']['TrainingFailed'];
export type TrainingInterrupted = components['schemas']['TrainingInterrupted'];
export type TrainingIterationCompleted = components['schemas']['TrainingIterationCompleted'];
export type TrainingMessage = components['schemas']['TrainingMessage'];
export type TrainingPauseRequested = components['schemas']['TrainingPauseRequested'];
export type TrainingPaused = components['schemas']['TrainingPaused'];
export type TrainingProgressed = components['schemas']['TrainingProgressed'];
export type TrainingQueued = components['schemas']['TrainingQueued'];
export type TrainingRecovered = components['schemas']['TrainingRecovered'];
export type TrainingRequest = components['schemas']['TrainingRequest'];
export type TrainingRequestOutput = components['schemas']['TrainingRequestOutput'];
export type TrainingResumeRequested = components['schemas']['TrainingResumeRequested'];
export type TrainingResumed = components['schemas']['TrainingResumed'];
export type TrainingStarted = components['schemas']['TrainingStarted'];
export type TrainingStarting = components['schemas']['TrainingStarting'];
export type TrainingState = components['schemas']['TrainingState'];
export type TrainingStopRequested = components['schemas']['TrainingStopRequested'];
export type TrainingStopped = components['schemas']['TrainingStopped'];
export type TrainingSucceeded = components['schemas']['TrainingSucceeded'];
export type TrainingWaiting = components['schemas']['TrainingWaiting'];
export type Trial = components['schemas']['Trial'];
export type TrialReport = components['schemas']['TrialReport'];
export type TrialState = components['schemas']['TrialState'];
export type TrialTraining = components['schemas']['TrialTraining'];
export type TrialTrainingInEvent = components['schemas']['TrialTrainingInEvent'];
export type Turn = components['schemas']['Turn'];
export type UnorderedChecker = components['schemas']['UnorderedChecker'];
export type Usage = components['schemas']['Usage'];
export type UserEnvironment = components['schemas']['UserEnvironment'];
export type Verdict = components['schemas']['Verdict'];
export type VersionInfo = components['schemas']['VersionInfo'];
export type VersionInfoInEvent = components['schemas']['VersionInfoInEvent'];
export type VideoInfo = components['schemas']['VideoInfo'];
export type Webhook = components['schemas']['Webhook'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type WebhookCreated = components['schemas']['WebhookCreated'];
export type WebhookList = components['schemas']['WebhookList'];
export type WebhookRequest = components['schemas']['WebhookRequest'];
export type WebhookRotation = components['schemas']['WebhookRotation'];
export type WebhookTestData = components['schemas']['WebhookTestData'];
export type WebhookTestMessage = components['schemas']['WebhookTestMessage'];
export type WhoAmI = components['schemas']['WhoAmI'];
export type Work = components['schemas']['Work'];
export type WorkAdjusted = components['schemas']['WorkAdjusted'];
export type WorkCommented = components['schemas']['WorkCommented'];
export type WorkFailed = components['schemas']['WorkFailed'];
export type WorkGraded = components['schemas']['WorkGraded'];
export type WorkOpened = components['schemas']['WorkOpened'];
export type WorkSubmitted = components['schemas']['WorkSubmitted'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
