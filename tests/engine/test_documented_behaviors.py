"""Documented service behavior, checked against the engine and, on request, AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.app_instances import AWS_IDENTITY_LAG, AppInstanceUnderTest, code_of, message, token


def test_create_channel_returns_201_and_an_arn_that_ends_in_the_channel_id(
    app_instance: AppInstanceUnderTest,
) -> None:
    """Without a ChannelId in the request, the ARN ends in a UUID."""
    response = app_instance.messaging.create_channel(
        AppInstanceArn=app_instance.app,
        ChannelId="a:b@c",
        Name="n",
        Metadata="m",
        Mode="UNRESTRICTED",
        Privacy="PUBLIC",
        ClientRequestToken=token(),
        ChimeBearer=app_instance.boss,
    )
    assert response["ChannelArn"] == f"{app_instance.app}/channel/a:b@c"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 201
    shown = app_instance.settled(response["ChannelArn"])
    assert (shown["Name"], shown["Metadata"], shown["Mode"], shown["Privacy"]) == (
        "n",
        "m",
        "UNRESTRICTED",
        "PUBLIC",
    )
    assert shown["CreatedBy"] == {"Arn": app_instance.boss, "Name": "boss"}
    assert len(app_instance.channel().rpartition("/")[2]) == 36


INVALID: dict[str, dict[str, Any]] = {
    "name": {"Name": "n" * 257},
    "mode": {"Mode": "OPEN"},
    "token": {"ClientRequestToken": "a b"},
    "metadata": {"Metadata": "é" * 1000},
    "bearer": {"ChimeBearer": "nobody"},
}


@pytest.mark.parametrize("case", INVALID)
def test_request_that_breaks_a_rule_of_the_model_is_a_bad_request(
    app_instance: AppInstanceUnderTest, case: str
) -> None:
    """A request that breaks a rule of botocore's service model is a 400 BadRequest."""
    request = {"Name": "n", "ClientRequestToken": token(), "ChimeBearer": app_instance.boss, **INVALID[case]}
    with pytest.raises(ClientError) as caught:
        app_instance.messaging.create_channel(AppInstanceArn=app_instance.app, **request)
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "BadRequestException",
        400,
    )


def test_lists_return_at_most_max_results_per_page(app_instance: AppInstanceUnderTest) -> None:
    """Lists come in pages of MaxResults."""
    for number in range(5):
        app_instance.user(f"u{number}")
    pages: list[list[str]] = []
    next_token: dict[str, str] = {}
    while True:
        page = app_instance.identity.list_app_instance_users(
            AppInstanceArn=app_instance.app, MaxResults=2, **next_token
        )
        pages.append([user["AppInstanceUserArn"].rpartition("/")[2] for user in page["AppInstanceUsers"]])
        if not page.get("NextToken"):
            break
        next_token = {"NextToken": page["NextToken"]}
    assert all(len(page) <= 2 for page in pages)
    assert sorted(name for page in pages for name in page) == ["boss", "u0", "u1", "u2", "u3", "u4"]


def test_channel_id_in_use_is_a_conflict(app_instance: AppInstanceUnderTest) -> None:
    """A ChannelId in use is a Conflict."""
    app_instance.channel(ChannelId="lobby")
    again = {
        "AppInstanceArn": app_instance.app,
        "ChannelId": "lobby",
        "Name": "n",
        "ChimeBearer": app_instance.boss,
    }
    assert code_of(app_instance.messaging.create_channel, **again, ClientRequestToken=token()) == "Conflict"


def test_creator_is_member_and_moderator(app_instance: AppInstanceUnderTest) -> None:
    """The bearer of CreateChannel becomes member and moderator of the channel."""
    arn = app_instance.channel()
    assert app_instance.moderators(arn) == {"boss"}
    assert app_instance.members(arn) == {"boss"}


def test_metadata_is_limited_to_1024_bytes_of_utf_8(app_instance: AppInstanceUnderTest) -> None:
    """Metadata holds 1024 bytes as UTF-8, not characters."""
    arn = app_instance.channel(Metadata="é" * 512)
    update = {"ChannelArn": arn, "ChimeBearer": app_instance.boss, "Name": "n", "Mode": "RESTRICTED"}
    assert code_of(app_instance.messaging.update_channel, **update, Metadata="é" * 513) == "BadRequest"


def test_delete_channel_returns_204_and_is_final(app_instance: AppInstanceUnderTest) -> None:
    """A channel is deleted at once and for good, and deletion answers 204."""
    arn = app_instance.channel()
    response = app_instance.messaging.delete_channel(ChannelArn=arn, ChimeBearer=app_instance.boss)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(app_instance.messaging.describe_channel, ChannelArn=arn, ChimeBearer=app_instance.boss)


def test_resource_has_at_most_50_tags_and_tag_calls_name_no_bearer(app_instance: AppInstanceUnderTest) -> None:
    """TagResource beyond 50 tags is refused."""
    arn = app_instance.channel(Tags=[{"Key": "a", "Value": "1"}])
    app_instance.messaging.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    app_instance.messaging.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert app_instance.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    assert code_of(app_instance.messaging.tag_resource, ResourceARN=arn, Tags=many) in (
        "BadRequest",
        "ResourceLimitExceeded",
    )


def test_batch_returns_200_and_the_members_that_failed(app_instance: AppInstanceUnderTest) -> None:
    """A batch adds all users that it can; its Errors contain the others."""
    ann, ghost = app_instance.user("ann"), f"{app_instance.app}/user/ghost"
    arn = app_instance.channel()
    response = app_instance.messaging.batch_create_channel_membership(
        ChannelArn=arn, MemberArns=[ann, ghost], ChimeBearer=app_instance.boss
    )
    assert [error["MemberArn"] for error in response["Errors"]] == [ghost]
    assert app_instance.members(arn) == {"boss", "ann"}


def test_hidden_members_are_listed_only_with_type_hidden(app_instance: AppInstanceUnderTest) -> None:
    """ListChannelMemberships returns HIDDEN members only with Type HIDDEN."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    app_instance.messaging.create_channel_membership(
        ChannelArn=arn, MemberArn=ann, Type="HIDDEN", ChimeBearer=app_instance.boss
    )
    assert (app_instance.members(arn), app_instance.members(arn, "HIDDEN")) == ({"boss"}, {"ann"})


def test_ban_ends_the_membership_and_forbids_a_new_one(app_instance: AppInstanceUnderTest) -> None:
    """A ban ends the membership and forbids a new one until it is deleted; a second ban is a Conflict."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(MemberArns=[ann])
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_ban(**channel, MemberArn=ann)
    assert app_instance.members(arn) == {"boss"}
    assert code_of(app_instance.messaging.create_channel_ban, **channel, MemberArn=ann) == "Conflict"
    member = {**channel, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(app_instance.messaging.create_channel_membership, **member)
    app_instance.messaging.delete_channel_ban(**channel, MemberArn=ann)
    app_instance.messaging.create_channel_membership(**member)
    assert app_instance.members(arn) == {"boss", "ann"}


def test_private_channel_is_read_by_members_and_managed_by_moderators(app_instance: AppInstanceUnderTest) -> None:
    """Members add members only in UNRESTRICTED mode; users without a role cannot describe the channel."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(MemberArns=[ann])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED"}
    add = {"ChannelArn": arn, "MemberArn": eve, "Type": "DEFAULT"}
    describe, update = app_instance.messaging.describe_channel, app_instance.messaging.update_channel
    assert code_of(describe, ChannelArn=arn, ChimeBearer=eve) in ("Forbidden", "NotFound")
    assert [code_of(describe, ChannelArn=arn, ChimeBearer=bearer) for bearer in (ann, bob)] == ["", ""]
    assert [code_of(update, **rename, ChimeBearer=bearer) for bearer in (ann, bob, app_instance.boss)] == [
        "Forbidden",
        "",
        "",
    ]
    assert code_of(app_instance.messaging.create_channel_membership, **add, ChimeBearer=ann) == "Forbidden"
    app_instance.messaging.update_channel(**{**rename, "Mode": "UNRESTRICTED"}, ChimeBearer=bob)
    assert code_of(app_instance.messaging.create_channel_membership, **add, ChimeBearer=ann) == ""


@pytest.mark.parametrize("mode", ["RESTRICTED", "UNRESTRICTED"])
def test_only_default_members_send_messages(app_instance: AppInstanceUnderTest, mode: str) -> None:
    """In both modes, HIDDEN members and moderators and admins who are not members cannot send."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(Mode=mode, MemberArns=[ann])
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**channel, MemberArn=bob, Type="HIDDEN")
    app_instance.messaging.create_channel_moderator(**channel, ChannelModeratorArn=eve)
    if "eve" in app_instance.members(arn):  # where moderators become members
        app_instance.messaging.delete_channel_membership(**channel, MemberArn=eve)
    app_instance.messaging.delete_channel_membership(**channel, MemberArn=app_instance.boss)
    send = app_instance.messaging.send_channel_message
    assert [code_of(send, **message(arn, sender)) for sender in (ann, bob, eve, app_instance.boss)] == [
        "",
        *["Forbidden"] * 3,
    ]
    app_instance.messaging.create_channel_membership(**channel, MemberArn=eve, Type="DEFAULT")
    assert code_of(send, **message(arn, eve)) == ""


def test_hidden_members_list_messages_but_cannot_send(app_instance: AppInstanceUnderTest) -> None:
    """A HIDDEN member lists the messages of the channel."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**channel, MemberArn=ann, Type="HIDDEN")
    app_instance.send(arn, app_instance.boss, "news")
    listed = app_instance.retry(app_instance.messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=ann)
    assert [sent["Content"] for sent in listed["ChannelMessages"]] == ["news"]


def test_hidden_members_are_listed_for_moderators_and_admins_only(app_instance: AppInstanceUnderTest) -> None:
    """Members cannot list HIDDEN members, not even in a public channel."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    for privacy in ("PRIVATE", "PUBLIC"):
        arn = app_instance.channel(MemberArns=[ann], Privacy=privacy)
        channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
        app_instance.messaging.create_channel_membership(**channel, MemberArn=eve, Type="HIDDEN")
        app_instance.messaging.create_channel_moderator(**channel, ChannelModeratorArn=bob)
        assert app_instance.members(arn, "HIDDEN") == {"eve"}
        listing = app_instance.messaging.list_channel_memberships
        codes = [code_of(listing, ChannelArn=arn, Type="HIDDEN", ChimeBearer=bearer) for bearer in (bob, ann, eve)]
        assert codes == ["", "Forbidden", "Forbidden"]
        assert code_of(listing, ChannelArn=arn, Type="DEFAULT", ChimeBearer=ann) == ""


def test_public_channel_is_read_by_nonmembers_who_cannot_send(app_instance: AppInstanceUnderTest) -> None:
    """A nonmember reads a PUBLIC channel, its members and messages, but not its moderators and bans."""
    ann, arn = app_instance.user("ann"), app_instance.channel(Privacy="PUBLIC")
    said = app_instance.send(arn, app_instance.boss, "news")
    channel_by_ann = {"ChannelArn": arn, "ChimeBearer": ann}
    api = app_instance.messaging
    assert app_instance.retry(api.describe_channel, **channel_by_ann)["Channel"]["ChannelArn"] == arn
    members = app_instance.retry(api.list_channel_memberships, **channel_by_ann)["ChannelMemberships"]
    assert [membership["Member"]["Arn"] for membership in members] == [app_instance.boss]
    member = app_instance.retry(api.describe_channel_membership, **channel_by_ann, MemberArn=app_instance.boss)[
        "ChannelMembership"
    ]
    assert member["Type"] == "DEFAULT"
    messages = app_instance.retry(api.list_channel_messages, **channel_by_ann)["ChannelMessages"]
    assert [sent["Content"] for sent in messages] == ["news"]
    assert (
        app_instance.retry(api.get_channel_message, **channel_by_ann, MessageId=said)["ChannelMessage"]["Content"]
        == "news"
    )
    assert code_of(api.send_channel_message, **message(arn, ann)) == "Forbidden"
    assert [code_of(call, **channel_by_ann) for call in (api.list_channel_moderators, api.list_channel_bans)] == [
        "Forbidden",
        "Forbidden",
    ]


def test_moderators_are_added_by_admins_and_by_moderators_who_are_members(
    app_instance: AppInstanceUnderTest,
) -> None:
    """A moderator must be a member to add moderators; an admin need not be."""
    ann, bob, eve, tom = (app_instance.user(name) for name in ("ann", "bob", "eve", "tom"))
    arn = app_instance.channel(MemberArns=[ann])
    boss = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(**boss, ChannelModeratorArn=bob)
    if "bob" in app_instance.members(arn):  # where moderators become members
        app_instance.messaging.delete_channel_membership(**boss, MemberArn=bob)
    make = app_instance.messaging.create_channel_moderator
    moderator = {"ChannelArn": arn, "ChannelModeratorArn": eve}
    assert [code_of(make, **moderator, ChimeBearer=bearer) for bearer in (ann, bob)] == ["Forbidden", "Forbidden"]
    assert app_instance.moderators(arn) == {"boss", "bob"}
    app_instance.messaging.create_channel_membership(**boss, MemberArn=bob, Type="DEFAULT")
    assert code_of(make, **moderator, ChimeBearer=bob) == ""
    app_instance.messaging.delete_channel_membership(**boss, MemberArn=app_instance.boss)
    assert code_of(make, **boss, ChannelModeratorArn=tom) == ""
    assert app_instance.moderators(arn) == {"boss", "bob", "eve", "tom"}


def test_messages_are_deleted_by_admins_and_redacted_by_moderators(app_instance: AppInstanceUnderTest) -> None:
    """Only admins delete messages; moderators redact any message, members their own."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(MemberArns=[ann, eve])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    first, second, third = (app_instance.send(arn, ann, content) for content in ("one", "two", "three"))
    first_message = {"ChannelArn": arn, "MessageId": first}
    delete, redact = app_instance.messaging.delete_channel_message, app_instance.messaging.redact_channel_message
    assert [code_of(delete, **first_message, ChimeBearer=bearer) for bearer in (ann, bob)] == [
        "Forbidden",
        "Forbidden",
    ]
    assert [code_of(redact, **first_message, ChimeBearer=bearer) for bearer in (eve, bob)] == ["Forbidden", ""]
    assert code_of(redact, ChannelArn=arn, MessageId=second, ChimeBearer=ann) == ""
    seen = app_instance.retry(
        app_instance.messaging.get_channel_message, **first_message, ChimeBearer=app_instance.boss
    )["ChannelMessage"]
    assert (seen["Redacted"], seen.get("Content", "")) == (True, "")
    assert code_of(delete, ChannelArn=arn, MessageId=third, ChimeBearer=app_instance.boss) == ""
    assert app_instance.contents(arn) == ["", ""]


def test_messages_are_updated_by_their_sender_only(app_instance: AppInstanceUnderTest) -> None:
    """An admin cannot update the message of another user."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(MemberArns=[ann])
    change = {"ChannelArn": arn, "MessageId": app_instance.send(arn, ann), "Content": "changed"}
    update = app_instance.messaging.update_channel_message
    assert [code_of(update, **change, ChimeBearer=bearer) for bearer in (app_instance.boss, ann)] == [
        "Forbidden",
        "",
    ]
    assert app_instance.contents(arn) == ["changed"]


def test_moderators_and_bans_are_listed_for_admins_and_moderators_only(app_instance: AppInstanceUnderTest) -> None:
    """Members list neither moderators nor bans."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    for listing in (app_instance.messaging.list_channel_moderators, app_instance.messaging.list_channel_bans):
        app_instance.retry(listing, ChannelArn=arn, ChimeBearer=bob)
        assert [code_of(listing, ChannelArn=arn, ChimeBearer=bearer) for bearer in (ann, app_instance.boss)] == [
            "Forbidden",
            "",
        ]
    describe = app_instance.messaging.describe_channel_moderator
    moderator = {"ChannelArn": arn, "ChannelModeratorArn": bob}
    app_instance.retry(describe, **moderator, ChimeBearer=bob)
    assert code_of(describe, **moderator, ChimeBearer=ann) == "Forbidden"


def test_admins_and_moderators_cannot_be_banned(app_instance: AppInstanceUnderTest) -> None:
    """A former moderator can be banned."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(**channel, ChannelModeratorArn=bob)
    ban = app_instance.messaging.create_channel_ban
    for user in (bob, app_instance.boss):
        assert code_of(ban, **channel, MemberArn=user) in ("BadRequest", "Forbidden", "Conflict")
    app_instance.messaging.delete_channel_moderator(**channel, ChannelModeratorArn=bob)
    assert [code_of(ban, **channel, MemberArn=user) for user in (ann, bob)] == ["", ""]


def test_list_channels_without_privacy_filter_shows_private_ones_to_admins_only(
    app_instance: AppInstanceUnderTest,
) -> None:
    """ListChannels without Privacy returns all channels to an admin, the public ones to other users."""
    ann = app_instance.user("ann")
    public, private = app_instance.channel(Privacy="PUBLIC"), app_instance.channel(MemberArns=[ann])
    listed = []
    for bearer in (app_instance.boss, ann):
        channels = app_instance.messaging.list_channels(AppInstanceArn=app_instance.app, ChimeBearer=bearer)[
            "Channels"
        ]
        listed.append({channel["ChannelArn"] for channel in channels})
    assert listed == [{public, private}, {public}]


def test_memberships_of_another_user_are_listed_for_admins_only(app_instance: AppInstanceUnderTest) -> None:
    """Users list their own memberships; admins list those of all users."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    listing = {"AppInstanceUserArn": ann, "ChimeBearer": bob}
    call = app_instance.messaging.list_channel_memberships_for_app_instance_user
    assert code_of(call, **listing) == "Forbidden"
    for bearer in (ann, app_instance.boss):
        memberships = call(**{**listing, "ChimeBearer": bearer})["ChannelMemberships"]
        assert [membership["ChannelSummary"]["ChannelArn"] for membership in memberships] == [arn]


def test_deleting_user_removes_memberships_moderators_and_bans(app_instance: AppInstanceUnderTest) -> None:
    """A user created again with the same id has none of the former user's roles."""
    ann = app_instance.user("ann")
    member, moderated, banned = (
        app_instance.channel(MemberArns=[ann]),
        app_instance.channel(),
        app_instance.channel(),
    )
    boss = {"ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(ChannelArn=moderated, ChannelModeratorArn=ann, **boss)
    app_instance.messaging.create_channel_ban(ChannelArn=banned, MemberArn=ann, **boss)
    app_instance.identity.delete_app_instance_user(AppInstanceUserArn=ann)
    assert [app_instance.members(arn) for arn in (member, moderated)] == [{"boss"}, {"boss"}]
    assert app_instance.moderators(moderated) == {"boss"}
    bans = app_instance.retry(app_instance.messaging.list_channel_bans, ChannelArn=banned, **boss)["ChannelBans"]
    assert bans == []
    app_instance.user("ann")
    describe = {"ChannelArn": member, "ChimeBearer": ann}
    assert code_of(app_instance.messaging.describe_channel, **describe) in ("Forbidden", "NotFound")


def test_private_channels_are_listed_for_admins_only(app_instance: AppInstanceUnderTest) -> None:
    """Only an AppInstanceAdmin lists private channels."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    private = {"AppInstanceArn": app_instance.app, "Privacy": "PRIVATE"}
    assert code_of(app_instance.messaging.list_channels, **private, ChimeBearer=ann) == "Forbidden"
    listed = app_instance.messaging.list_channels(**private, ChimeBearer=app_instance.boss)["Channels"]
    assert [channel["ChannelArn"] for channel in listed] == [arn]


def test_bearer_that_does_not_exist_is_unauthorized(app_instance: AppInstanceUnderTest) -> None:
    """The error is a 401 UnauthorizedClient whose message names the header."""
    with pytest.raises(ClientError) as caught:
        app_instance.messaging.create_channel(
            AppInstanceArn=app_instance.app,
            Name="n",
            ClientRequestToken=token(),
            ChimeBearer=f"{app_instance.app}/user/nobody",
        )
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "UnauthorizedClientException",
        401,
    )
    assert "x-amz-chime-bearer" in response["Error"]["Message"]


def test_expiration_is_set_changed_and_removed(app_instance: AppInstanceUnderTest) -> None:
    """PutChannelExpirationSettings without settings removes the expiration."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = app_instance.channel(ExpirationSettings=days)
    assert app_instance.settled(arn)["ExpirationSettings"] == days
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.put_channel_expiration_settings(
        **channel, ExpirationSettings={**days, "ExpirationDays": 4}
    )
    assert app_instance.settled(arn)["ExpirationSettings"]["ExpirationDays"] == 4
    app_instance.messaging.put_channel_expiration_settings(**channel)
    assert "ExpirationSettings" not in app_instance.settled(arn)


ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 10}


def test_elastic_channel_is_restricted_without_members_and_unique(app_instance: AppInstanceUnderTest) -> None:
    """An elastic channel is RESTRICTED, starts without members, and is the only one of its app instance."""
    create: Callable[..., Any] = app_instance.messaging.create_channel

    def creation_code(**changed: Any) -> str:
        request = {
            "AppInstanceArn": app_instance.app,
            "Name": "n",
            "ChimeBearer": app_instance.boss,
            "Mode": "RESTRICTED",
        }
        return code_of(
            create, ClientRequestToken=token(), ElasticChannelConfiguration=ELASTIC, **{**request, **changed}
        )

    assert creation_code(Mode="UNRESTRICTED") == "BadRequest"
    assert creation_code(MemberArns=[app_instance.user("ann")]) == "BadRequest"
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    assert app_instance.settled(arn)["ElasticChannelConfiguration"] == ELASTIC
    assert creation_code() == "ResourceLimitExceeded"


def test_elastic_channel_with_the_same_token_is_created_once(app_instance: AppInstanceUnderTest) -> None:
    """The same request again returns the existing channel, and is not refused as a second elastic channel."""
    request = {
        "AppInstanceArn": app_instance.app,
        "Name": "n",
        "Mode": "RESTRICTED",
        "ClientRequestToken": token(),
        "ElasticChannelConfiguration": ELASTIC,
        "ChimeBearer": app_instance.boss,
    }
    first, second = (app_instance.messaging.create_channel(**request)["ChannelArn"] for _ in range(2))
    assert first == second


def test_elastic_membership_ends_when_moderator_is_added_or_removed(app_instance: AppInstanceUnderTest) -> None:
    """A moderator of an elastic channel joins with a SubChannelId only."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**channel, MemberArn=ann, Type="DEFAULT")
    app_instance.messaging.create_channel_moderator(**channel, ChannelModeratorArn=ann)
    assert "ann" not in app_instance.members(arn)
    assert "ann" in app_instance.moderators(arn)
    member = {**channel, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(app_instance.messaging.create_channel_membership, **member) == "BadRequest", (
        "must require a SubChannelId"
    )
    batch = app_instance.messaging.batch_create_channel_membership(**channel, MemberArns=[ann])
    assert [error["MemberArn"] for error in batch["Errors"]] == [ann]
    app_instance.messaging.delete_channel_moderator(**channel, ChannelModeratorArn=ann)
    assert "ann" not in app_instance.members(arn)


def test_elastic_moderators_need_not_be_members(app_instance: AppInstanceUnderTest) -> None:
    """ModeratorArns of CreateChannel makes moderators of an elastic channel, and no members."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC, ModeratorArns=[ann])
    assert (app_instance.moderators(arn), app_instance.members(arn)) == ({"boss", "ann"}, set())


def test_elastic_channels_have_no_hidden_members(app_instance: AppInstanceUnderTest) -> None:
    """Neither a single call nor a batch adds a HIDDEN member to an elastic channel."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss, "Type": "HIDDEN"}
    assert code_of(app_instance.messaging.create_channel_membership, **channel, MemberArn=ann) == "BadRequest"
    assert (
        code_of(app_instance.messaging.batch_create_channel_membership, **channel, MemberArns=[ann]) == "BadRequest"
    )


def test_flow_in_use_cannot_be_deleted(app_instance: AppInstanceUnderTest) -> None:
    """A flow can be deleted once no channel is associated with it."""
    arn, flow = app_instance.channel(), app_instance.flow()
    association = {"ChannelArn": arn, "ChannelFlowArn": flow, "ChimeBearer": app_instance.boss}
    app_instance.messaging.associate_channel_flow(**association)
    assert app_instance.settled(arn)["ChannelFlowArn"] == flow
    assert code_of(app_instance.messaging.delete_channel_flow, ChannelFlowArn=flow)
    app_instance.messaging.disassociate_channel_flow(**association)
    assert code_of(app_instance.messaging.delete_channel_flow, ChannelFlowArn=flow) == ""


def test_retention_is_in_days_and_removed_by_empty_settings(app_instance: AppInstanceUnderTest) -> None:
    """Retention is in days; empty settings switch it off."""
    settings: list[dict[str, Any]] = [
        {"ChannelRetentionSettings": {"RetentionDays": 30}},
        {"ChannelRetentionSettings": {}},
    ]
    for retention in settings:
        app_instance.identity.put_app_instance_retention_settings(
            AppInstanceArn=app_instance.app, AppInstanceRetentionSettings=retention
        )
        response = app_instance.identity.get_app_instance_retention_settings(AppInstanceArn=app_instance.app)
        assert response["AppInstanceRetentionSettings"] == retention


@pytest.mark.parametrize("case", ["name", "region", "account"])
def test_stream_must_be_in_same_region_and_account_with_chime_messaging_prefix(
    app_instance: AppInstanceUnderTest, case: str
) -> None:
    """A stream must be named chime-messaging-… and be in the app instance's region and account."""
    account = "999999999999" if case == "account" else app_instance.app.split(":")[4]
    region = "eu-west-1" if case == "region" else app_instance.region
    stream = "stream/other" if case == "name" else "stream/chime-messaging-x"
    configurations = [{"DataType": "Channel", "ResourceArn": f"arn:aws:kinesis:{region}:{account}:{stream}"}]
    put = app_instance.messaging.put_messaging_streaming_configurations
    assert code_of(put, AppInstanceArn=app_instance.app, StreamingConfigurations=configurations) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )
    get = app_instance.messaging.get_messaging_streaming_configurations
    assert code_of(get, AppInstanceArn=app_instance.app) == "NotFound"


def test_app_instance_is_described_in_its_own_region_only(
    app_instances: Callable[[str], AppInstanceUnderTest],
) -> None:
    """An app instance is seen in its own region only."""
    home, other = app_instances("us-east-1"), app_instances("eu-central-1")
    assert other.app.split(":")[3] == "eu-central-1"
    assert code_of(home.identity.describe_app_instance, AppInstanceArn=other.app) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )


def test_admin_manages_channels_until_the_admin_is_deleted(app_instance: AppInstanceUnderTest) -> None:
    """Creating an admin who exists is a Conflict; a deleted admin cannot update channels."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    admin = {"AppInstanceArn": app_instance.app, "AppInstanceAdminArn": ann}
    app_instance.identity.create_app_instance_admin(**admin)
    assert code_of(app_instance.identity.create_app_instance_admin, **admin) == "Conflict"
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED", "ChimeBearer": ann}
    app_instance.retry(app_instance.messaging.update_channel, AWS_IDENTITY_LAG, **rename)
    app_instance.identity.delete_app_instance_admin(**admin)
    assert code_of(app_instance.messaging.update_channel, **rename) == "Forbidden"


def test_user_expiration_is_stored_and_returned(app_instance: AppInstanceUnderTest) -> None:
    """A user's expiration is set and shown."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    ann = app_instance.user("ann")
    app_instance.identity.put_app_instance_user_expiration_settings(AppInstanceUserArn=ann, ExpirationSettings=days)
    shown = app_instance.identity.describe_app_instance_user(AppInstanceUserArn=ann)["AppInstanceUser"]
    assert shown["ExpirationSettings"] == days
