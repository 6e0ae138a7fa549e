"use client";

import { useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";

import { type Filters, formatFilters, parseFilters } from "./select";

/** The filters in the address, and what changes some of them. Going back does not undo a filter; a link shares it. */
export function useFilters(): [Filters, (change: Partial<Filters>) => void] {
  const params = useSearchParams();
  const filters = useMemo(() => parseFilters(params), [params]);
  const change = useCallback((some: Partial<Filters>) => {
    const now = new URLSearchParams(location.search);
    const query = formatFilters({ ...parseFilters(now), ...some }, now);
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
  }, []);
  return [filters, change];
}
