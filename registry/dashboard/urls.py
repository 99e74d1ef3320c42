"""Addresses of the public pages, and of signing in for the pages and the admin."""

from django.urls import path
from django.views.generic import RedirectView

from registry.dashboard import (
    agreements,
    catalogue,
    citing,
    explore,
    one_time_code,
    openid_sign_in,
    overview,
    product_pages,
    sign_in,
    tokens,
    yearly,
)

urlpatterns = [
    path("", catalogue.home, name="home"),
    path("complications/<slug:code>/", catalogue.complication, name="complication"),
    path("dashboard/", overview.overview, name="dashboard"),
    path("dashboard/explore/", explore.explore, name="explore"),
    path("dashboard/explore/told/", explore.how_much_is_told, name="told-before"),
    path("products/", product_pages.products, name="products"),
    path("products/<slug:kind>/<slug:code>/", product_pages.product, name="product"),
    path("report/", yearly.yearly_report, name="report"),
    path("cite/", citing.cite, name="cite"),
    path("c/<slug:code>/", citing.citation, name="citation"),
    path("c/<slug:code>/answer.<slug:ending>", citing.citation_file, name="citation-file"),
    path("agreement/", agreements.agreement, name="agreement"),
    path("agreement/<uuid:public_id>/renew/", agreements.renew, name="renew-agreement"),
    path("agreement/<uuid:public_id>/withdraw/", agreements.withdraw, name="withdraw-agreement"),
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("login/provider/", openid_sign_in.to_provider, name="provider"),
    path("login/provider/callback/", openid_sign_in.callback, name="provider-callback"),
    path("login/provider/code/", openid_sign_in.provider_code, name="provider-code"),
    path("logout/", sign_in.SignOut.as_view(), name="logout"),
    path("password/", sign_in.ChangePassword.as_view(), name="password"),
    path("one-time-code/", one_time_code.one_time_code_page, name="one_time_code"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<uuid:public_id>/revoke/", tokens.revoke, name="revoke-token"),
    path("admin/login/", RedirectView.as_view(url="/login/", query_string=True)),
    path("admin/logout/", sign_in.SignOut.as_view()),
    path("admin/password_change/", RedirectView.as_view(url="/password/")),
]
