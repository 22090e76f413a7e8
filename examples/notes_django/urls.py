"""Where each screen is."""

from django.urls import path

from notes_django import views

urlpatterns = [
    path("", views.home),
    path("sign-up", views.sign_up),
    path("login", views.log_in),
    path("logout", views.log_out),
    path("notes", views.notes),
    path("notes/<int:number>", views.note),
    path("search", views.search),
    path("export", views.export),
    path("report", views.report),
    path("broken", views.broken),
    path("api/notes", views.api_notes),
    path("api/broken", views.api_broken),
]
