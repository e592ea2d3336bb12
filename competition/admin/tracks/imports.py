"""Importing datasets in the admin, for a track or without one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from competition.admin.tracks.forms import ImportForm
from competition.admin.tracks.pages import back, changeable, done, page
from competition.tracks import services
from competition.tracks.models import Dataset, Track
from scoring.contracts import Reader


def import_data(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Import a dataset and give it to the track."""
    track = changeable(admin, request, pk)
    if not request.user.has_perm("tracks.add_dataset"):
        raise PermissionDenied
    form = ImportForm(
        request.POST or None,
        request.FILES or None,
        initial={"name": track.name},
        viewer=request.user,
        competition=track.competition,
    )
    reader = track.spec().input.reader
    dataset = _import(form, request, reader) if request.method == "POST" and form.is_valid() else None
    if dataset is not None:
        services.assign_dataset(track=track, dataset=dataset, by=request.user)
        done(request, track, f"The track now has the dataset {dataset}.")
        return back(track)
    text = "The track will use this dataset. Its old one stays in the list of datasets."
    if services.has_evaluations(track):
        text += " Evaluations use the old one until you publish a new benchmark version."
    return page(admin, request, track, title="Import a dataset", text=text, form=form, button="Import")


def import_without_track(admin: ModelAdmin[Dataset], request: HttpRequest) -> HttpResponseBase:
    """Import a dataset that no track has yet."""
    if not request.user.has_perm("tracks.add_dataset"):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None, viewer=request.user)
    dataset = _import(form, request) if request.method == "POST" and form.is_valid() else None
    if dataset is not None:
        messages.success(request, f"Imported: {dataset}.")
        return redirect("admin:tracks_dataset_change", dataset.pk)
    text = "A dataset never changes after its import. Importing the same data again gives the same dataset."
    return page(admin, request, None, title="Import a dataset", text=text, form=form, button="Import")


def _import(form: ImportForm, request: HttpRequest, reader: Reader | None = None) -> Dataset | None:
    """Import what a valid form names for a track's reader, if it is for one; findings go back to the form."""
    name, folder, archive, competition = (
        form.cleaned_data.get(key) for key in ("name", "folder", "archive", "competition")
    )
    shared: dict[str, Any] = {
        "name": name,
        "competition": competition,
        "reader": reader,
        "by": form.viewer,
        "warn": partial(messages.warning, request),
    }
    try:
        if isinstance(folder, Path):
            return services.import_dataset_folder(folder=folder, **shared)
        return services.import_dataset(archive=archive, **shared)  # type: ignore[arg-type]  # the form checked
    except services.DatasetProblem as exc:
        for finding in exc.findings:
            form.add_error(None, finding)
    return None
