/** A study followed from its first event on: its document, journal and what is requested of it. */
import { signal } from "@preact/signals";
import type { RunEvent } from "../events";
import type { LiveClient } from "../live/client";
import { Feed } from "../runs/feed";
import type { Study } from "../types";
import { foldStudy, foldStudyWish, newbornStudy, type StudyWish } from "./fold";

export class StudyFeed extends Feed<Study> {
  readonly wish = signal<StudyWish>(null);

  constructor(live: LiveClient, study: Study) {
    super(live, "studies", study, newbornStudy(study));
  }

  protected override fold(study: Study, event: RunEvent): Study {
    return foldStudy(study, event);
  }

  protected override took(events: readonly RunEvent[]): void {
    this.wish.value = events.reduce(foldStudyWish, this.wish.value);
  }
}
